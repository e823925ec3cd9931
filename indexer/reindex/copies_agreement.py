"""How far two copy descriptors find the same nearest images. Nothing here says which of them is right."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from indexer.catalog.copies import descriptors
from indexer.catalog.copies.embeddings import TABLE
from indexer.catalog.database import Catalog
from indexer.catalog.records.copies import DescriptorEntry
from indexer.errors import NotFoundError
from indexer.reindex.agreement import NEIGHBOURS, QUERIES, Nearest, SharedNeighbours, shared_neighbours
from indexer.vocabulary import Progress, no_progress

_PAGE = 4_096


@dataclass(frozen=True, slots=True)
class DescriptorsAgreement:
    """How `old` and `new`, both by name, compare on the `n` images that both have embedded; `neighbours` is None below
    two images."""

    old: str
    new: str
    n: int
    neighbours: SharedNeighbours | None


def descriptors_agreement(
    catalog: Catalog, old: str, new: str, *, seed: int = 0, progress: Progress = no_progress
) -> DescriptorsAgreement:
    """Compares the copy descriptors of two fingerprints on what is stored of them; computes no embedding.

    Raises:
        NotFoundError: one of them has no embedding in this catalogue.
    """
    with catalog.reading() as session:
        known = {entry.fingerprint: entry for entry in descriptors.list(session)}
        for fingerprint in (old, new):
            if fingerprint not in known:
                raise NotFoundError(f"the copy descriptor {fingerprint[:16]} has no embeddings in this catalogue")
        ids = TABLE.ids_of_both(session, old, new)
        queries = np.sort(np.random.default_rng(seed).choice(ids, min(QUERIES, len(ids)), replace=False))
        k, shared = min(NEIGHBOURS, len(ids) - 1), None
        if k > 0:
            first = _nearest(session, known[old], ids, queries, k, progress)
            second = _nearest(session, known[new], ids, queries, k, progress)
            shared = shared_neighbours(first, second)
        return DescriptorsAgreement(known[old].name, known[new].name, len(ids), shared)


def _nearest(
    session: Session,
    entry: DescriptorEntry,
    ids: npt.NDArray[np.int64],
    queries: npt.NDArray[np.int64],
    k: int,
    tell: Progress,
) -> npt.NDArray[np.int64]:
    """The k nearest others [Q, k] of each query among `ids`."""
    vectors = TABLE.vectors(session, entry.fingerprint, queries.tolist())
    nearest = Nearest(queries, np.array([vectors[image_id] for image_id in queries.tolist()], np.float32), k)
    after = done = 0
    while len((page := TABLE.since(session, entry.fingerprint, after, _PAGE, entry.dimension)).embedding_ids):
        among = np.isin(page.image_ids, ids)
        if among.any():
            nearest.see(page.image_ids[among], page.vectors[among])
        after, done = int(page.embedding_ids[-1]), done + int(among.sum())
        tell(f"neighbours by {entry.name}", done, len(ids))
    return nearest.ids
