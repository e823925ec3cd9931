"""PDQ hashes by image id, searched exactly by Hamming distance."""

import threading
from dataclasses import dataclass, replace
from typing import cast

import faiss
import numpy as np
import numpy.typing as npt

from indexer.threads import SINGLE_QUERY, limit_faiss, thread_count
from indexer.vectors.allowed import Allowed
from indexer.vectors.exact import Ids
from indexer.vectors.growing import GrowingRows
from indexer.vectors.selection import Mask

HASH_BYTES = 32
DIHEDRALS = 8
"""Queries of one picture: its eight turnings are searched for in one call, by one thread."""


@dataclass(frozen=True, slots=True)
class HashHit:
    """An image whose hash is near: `distance` in bits of 256, to the query at `query_index`."""

    image_id: int
    distance: int
    query_index: int


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    ids: Ids
    hashes: npt.NDArray[np.uint8]
    comparable: Mask
    watermark: int
    tombstone_watermark: int


class HashStore:
    """The hashes of a whole catalogue in memory, 32 bytes an image. Threads may share it.

    Hashes of a quality below `min_quality` (0 to 100) are never found: the picture has too little structure.
    """

    def __init__(self, min_quality: int, *, threads: int = 0) -> None:
        """`threads`: OpenMP threads of a batch, 0: all."""
        self._threads = thread_count(threads)
        self._min_quality = min_quality
        self._writing = threading.Lock()
        self._ids = GrowingRows(np.int64)
        self._hashes = GrowingRows(np.uint8, HASH_BYTES)
        self._rows: dict[int, int] = {}
        self._state = _State(np.empty(0, np.int64), np.empty((0, HASH_BYTES), np.uint8), np.empty(0, np.bool_), 0, 0)

    @property
    def watermark(self) -> int:
        """Every image up to this id was added."""
        return self._state.watermark

    @property
    def tombstone_watermark(self) -> int:
        """Every deletion up to this tombstone id was made."""
        return self._state.tombstone_watermark

    @property
    def count(self) -> int:
        """Hashes that can be found."""
        return int(np.count_nonzero(self._state.comparable))

    def add(self, image_ids: Ids, hashes: npt.NDArray[np.uint8], qualities: npt.NDArray[np.integer]) -> None:
        """Make hashes findable at once. An id that is already here is left as it is: a picture's hash never changes.

        Args:
            image_ids: [N] int64, rising.
            hashes: [N, 32] uint8.
            qualities: [N], 0 to 100.
        """
        with self._writing:
            state = self._state
            new = np.array([image_id not in self._rows for image_id in image_ids.tolist()], np.bool_)
            rows = range(len(state.ids), len(state.ids) + int(np.count_nonzero(new)))
            self._rows.update(zip(image_ids[new].tolist(), rows, strict=True))
            self._state = replace(
                state,
                ids=cast(Ids, self._ids.append(image_ids[new])),
                hashes=cast(npt.NDArray[np.uint8], self._hashes.append(hashes[new])),
                comparable=np.concatenate((state.comparable, qualities[new] >= self._min_quality)),
                watermark=max(state.watermark, int(image_ids.max(initial=0))),
            )

    def delete(self, image_ids: Ids, tombstone_watermark: int) -> None:
        """Make images unfindable at once; those that are not here are ignored."""
        with self._writing:
            state = self._state
            comparable = state.comparable.copy()
            comparable[[self._rows[one] for one in image_ids.tolist() if one in self._rows]] = False
            newest = max(state.tombstone_watermark, tombstone_watermark)
            self._state = replace(state, comparable=comparable, tombstone_watermark=newest)

    def search(
        self, hashes: npt.NDArray[np.uint8], max_distance: int, allowed: Allowed | None = None
    ) -> tuple[HashHit, ...]:
        """All images within `max_distance` (inclusive) of any query, by rising distance, image id, query.

        Args:
            hashes: [Q, 32] uint8.
            max_distance: bits of 256, at least 0.
            allowed: the ids that may be found, None for all.
        """
        state = self._state
        if not len(state.ids) or not len(hashes):
            return ()
        queries = np.ascontiguousarray(hashes, np.uint8)
        found = faiss.RangeSearchResult(len(queries))
        limit_faiss(self._threads if len(queries) > DIHEDRALS else SINGLE_QUERY)
        faiss.hamming_range_search(
            faiss.swig_ptr(queries),
            faiss.swig_ptr(state.hashes),
            len(queries),
            len(state.hashes),
            max_distance + 1,  # FAISS compares with a strict <
            HASH_BYTES,
            found,
            None,
        )
        ends = faiss.rev_swig_ptr(found.lims, len(queries) + 1).astype(np.int64)
        total = int(ends[-1])
        if not total:
            return ()
        rows = faiss.rev_swig_ptr(found.labels, total).copy()
        distances = faiss.rev_swig_ptr(found.distances, total).astype(np.int64)
        query = np.repeat(np.arange(len(queries)), np.diff(ends))
        ids = state.ids[rows]
        keep = state.comparable[rows]
        if allowed is not None:
            keep &= allowed.mask(ids)
        order = np.lexsort((query, ids, distances))
        order = order[keep[order]]
        hits = np.stack((ids, distances, query), axis=1)[order]
        return tuple(HashHit(*hit) for hit in hits.tolist())
