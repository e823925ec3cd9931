"""Embeddings and scores of images by detector. An image has at most one embedding per detector."""

from collections.abc import Iterable, Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from indexer.catalog.records.detections import EmbeddingBatch, NewDetection
from indexer.catalog.tables.detections import DetectorRow, EmbeddingRow
from indexer.catalog.tables.portable import insert_new
from indexer.catalog.tables.types import utc_now
from indexer.catalog.vectors import VectorTable, checked
from indexer.errors import UsageError
from indexer.vocabulary import EMBEDDING_SIZE

_DIGITS = 9
"""Significant digits kept of a score: all that a float32 holds, and few enough to print the same everywhere."""


TABLE = VectorTable(EmbeddingRow, DetectorRow, "detector_id")


def add(session: Session, detector_id: int, detections: Sequence[tuple[int, NewDetection]]) -> int:
    """Store a detector's results, by internal image id; existing results are left unchanged.

    Returns:
        How many were new.

    Raises:
        UsageError: a vector that is not [384], finite and of length 1, a logit that is not finite, or a probability
            outside [0, 1].
    """
    rows = [
        {
            "image_id": image_id,
            "detector_id": detector_id,
            "logits": _finite(detection.logits),
            "p_fake": _probability(detection.p_fake),
            "detected_at": utc_now(),
            "vector": checked(detection.vector, EMBEDDING_SIZE),
        }
        for image_id, detection in detections
    ]
    return len(insert_new(session, EmbeddingRow, rows, EmbeddingRow.id))


def since(session: Session, fingerprint: str, after_embedding_id: int, limit: int) -> EmbeddingBatch:
    """Up to `limit` embeddings added after `after_embedding_id`, in the order they were added."""
    return TABLE.since(session, fingerprint, after_embedding_id, limit, EMBEDDING_SIZE)


def vectors(session: Session, fingerprint: str, image_ids: Iterable[int]) -> dict[int, npt.NDArray[np.float32]]:
    """The vectors [384] of the given images, where they have one."""
    return TABLE.vectors(session, fingerprint, image_ids)


def having(session: Session, fingerprint: str, image_ids: Iterable[int]) -> set[int]:
    """Which of the given images have an embedding."""
    return TABLE.having(session, fingerprint, image_ids)


def count(session: Session, fingerprint: str) -> int:
    """How many embeddings the detector with this fingerprint has."""
    return TABLE.count(session, fingerprint)


def _finite(logits: Sequence[float]) -> list[float]:
    values = [float(logit) for logit in logits]
    if not all(map(isfinite, values)):
        raise UsageError(f"logits must be finite, not {values}")
    return values


def _probability(p_fake: float | None) -> float | None:
    if p_fake is None:
        return None
    if not 0 <= p_fake <= 1:
        raise UsageError(f"a probability lies between 0 and 1, not at {p_fake}")
    return float(f"{p_fake:.{_DIGITS}g}")
