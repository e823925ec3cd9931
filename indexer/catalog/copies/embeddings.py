"""Embeddings of images by copy descriptor. An image has at most one embedding per descriptor."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.catalog.records.detections import EmbeddingBatch
from indexer.catalog.tables.copies import CopyDescriptorRow, CopyEmbeddingRow
from indexer.catalog.tables.portable import insert_new
from indexer.catalog.vectors import VectorTable, checked

TABLE = VectorTable(CopyEmbeddingRow, CopyDescriptorRow, "descriptor_id")


def add(session: Session, descriptor_id: int, embeddings: Sequence[tuple[int, npt.NDArray[np.float32]]]) -> int:
    """Store a descriptor's embeddings, by internal image id; existing ones are left unchanged.

    Returns:
        How many were new.

    Raises:
        UsageError: a vector that does not have the descriptor's dimension, or is not finite and of length 1.
    """
    if not embeddings:
        return 0
    of_it = select(CopyDescriptorRow.dimension).where(CopyDescriptorRow.id == descriptor_id)
    dimension = session.execute(of_it).scalar_one()
    rows = [
        {"image_id": image_id, "descriptor_id": descriptor_id, "vector": checked(vector, dimension)}
        for image_id, vector in embeddings
    ]
    return len(insert_new(session, CopyEmbeddingRow, rows, CopyEmbeddingRow.id))


def since(session: Session, fingerprint: str, after: int, limit: int, dimension: int) -> EmbeddingBatch:
    """Up to `limit` embeddings added after the embedding id `after`, in the order they were added.

    Raises:
        CatalogError: one does not have `dimension` numbers.
    """
    return TABLE.since(session, fingerprint, after, limit, dimension)


def vectors(session: Session, fingerprint: str, image_ids: Iterable[int]) -> dict[int, npt.NDArray[np.float32]]:
    """The vectors [D] of the given images, where they have one."""
    return TABLE.vectors(session, fingerprint, image_ids)


def having(session: Session, fingerprint: str, image_ids: Iterable[int]) -> set[int]:
    """Which of the given images have an embedding."""
    return TABLE.having(session, fingerprint, image_ids)


def count(session: Session, fingerprint: str) -> int:
    """How many embeddings the descriptor with this fingerprint has."""
    return TABLE.count(session, fingerprint)
