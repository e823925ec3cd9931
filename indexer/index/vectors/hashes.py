"""PDQ hashes by image id, searched exactly by Hamming distance."""

import threading
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import cast

import faiss
import numpy as np
import numpy.typing as npt

from indexer.index.vectors.allowed import Allowed
from indexer.index.vectors.exact import Ids
from indexer.index.vectors.growing import GrowingRows
from indexer.index.vectors.selection import Mask
from indexer.threads import SINGLE_QUERY, limit_faiss, thread_count

HASH_BYTES = 32
MOST_OF_A_PICTURE = 32
"""Queries that may be of one picture in its turnings and sizes, which one thread answers in one call; more are of many
pictures."""
_REACH = 40
"""Bits that hashes asked with may be apart to be looked for together: unrelated pictures are about 128 apart, so that
hardly any is within this beyond the distances that count."""


@dataclass(frozen=True, slots=True)
class HashHit:
    """An image with a near hash: `distance` in bits of 256, to the query at `query_index`."""

    image_id: int
    distance: int
    query_index: int


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    ids: Ids
    hashes: npt.NDArray[np.uint8]
    comparable: Mask
    deleted: int
    watermark: int
    tombstone_watermark: int
    change_watermark: int


class HashStore:
    """The hashes of a whole catalogue in memory, 32 bytes an image. Threads may share it.

    Hashes of a quality below `min_quality` (0 to 100) are never found: such pictures have too little structure.
    """

    def __init__(self, min_quality: int, *, threads: int = 0) -> None:
        """`threads`: OpenMP threads of a batch, 0: all."""
        self._threads = thread_count(threads)
        self._min_quality = min_quality
        self._writing = threading.Lock()
        self._ids = GrowingRows(np.int64)
        self._hashes = GrowingRows(np.uint8, HASH_BYTES)
        self._rows: dict[int, int] = {}
        self._deleted: set[int] = set()
        self._state = _State(
            np.empty(0, np.int64), np.empty((0, HASH_BYTES), np.uint8), np.empty(0, np.bool_), 0, 0, 0, 0
        )

    def at_this_moment(self) -> "HashStore":
        """A read-only view of the current content, unaffected by later additions and deletions."""
        return copy(self)  # a state is never changed, only replaced

    @property
    def watermark(self) -> int:
        """Every image up to this id was added."""
        return self._state.watermark

    @property
    def tombstone_watermark(self) -> int:
        """Every deletion up to this tombstone id was made."""
        return self._state.tombstone_watermark

    @property
    def change_watermark(self) -> int:
        """All hash replacements up to this value of the catalogue's change counter are included."""
        return self._state.change_watermark

    @property
    def count(self) -> int:
        """The number of searchable hashes."""
        return int(np.count_nonzero(self._state.comparable))

    @property
    def images(self) -> int:
        """The number of images, those whose hash is not searchable too."""
        return len(self._state.ids) - self._state.deleted

    def add(self, image_ids: Ids, hashes: npt.NDArray[np.uint8], qualities: npt.NDArray[np.integer]) -> None:
        """Make hashes searchable at once. Existing ids are left unchanged.

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

    def change(
        self, image_ids: Ids, hashes: npt.NDArray[np.uint8], qualities: npt.NDArray[np.integer], change_watermark: int
    ) -> None:
        """Replace the hashes of existing images, and advance to `change_watermark`; unknown ids are ignored. Arguments
        as for `add`.
        """
        with self._writing:
            state = self._state
            known_rows = [position for position, image_id in enumerate(image_ids.tolist()) if image_id in self._rows]
            if known_rows:
                rows = [self._rows[image_id] for image_id in image_ids[known_rows].tolist()]
                # a search may be reading the current rows: leave them unchanged
                changed, comparable = state.hashes.copy(), state.comparable.copy()
                changed[rows] = hashes[known_rows]
                comparable[rows] = qualities[known_rows] >= self._min_quality
                self._hashes = GrowingRows(np.uint8, HASH_BYTES)
                kept = cast(npt.NDArray[np.uint8], self._hashes.append(changed))
                state = replace(state, hashes=kept, comparable=comparable)
            self._state = replace(state, change_watermark=max(state.change_watermark, change_watermark))

    def delete(self, image_ids: Ids, tombstone_watermark: int) -> None:
        """Remove images from searches at once; unknown ids are ignored."""
        with self._writing:
            state = self._state
            comparable = state.comparable.copy()
            rows = [self._rows[image_id] for image_id in image_ids.tolist() if image_id in self._rows]
            comparable[rows] = False
            self._deleted.update(rows)
            newest = max(state.tombstone_watermark, tombstone_watermark)
            self._state = replace(state, comparable=comparable, deleted=len(self._deleted), tombstone_watermark=newest)

    def within(self, hashes: npt.NDArray[np.uint8], image_ids: Sequence[int], max_distance: int) -> list[int]:
        """Those of these images whose hash, of whatever quality, is within a distance of any of `hashes` [Q, 32], in
        their order."""
        state, rows = self._state, self._rows  # the latter may know images that came after this state
        known = [
            (image_id, rows[image_id]) for image_id in image_ids if rows.get(image_id, len(state.ids)) < len(state.ids)
        ]
        theirs = state.hashes[np.array([row for _, row in known], np.int64)]
        apart = np.bitwise_count(theirs[:, None] ^ hashes[None]).sum(axis=2, dtype=np.int64).min(axis=1)
        return [image_id for (image_id, _), bits in zip(known, apart.tolist(), strict=True) if bits <= max_distance]

    def search(
        self, hashes: npt.NDArray[np.uint8], max_distance: int, allowed: Allowed | None = None
    ) -> tuple[HashHit, ...]:
        """All images within `max_distance` (inclusive) of any query, by rising distance, image id, query.

        Args:
            hashes: [Q, 32] uint8; near hashes (of one picture in one orientation) cost little more than a single one.
            max_distance: bits of 256, at least 0.
            allowed: the ids to search, None for all.
        """
        state = self._state
        if not len(state.ids) or not len(hashes):
            return ()
        queries = np.ascontiguousarray(hashes, np.uint8)
        family, reach = _families(queries)
        limit_faiss(self._threads if len(queries) > MOST_OF_A_PICTURE else SINGLE_QUERY)
        asked, rows = _near(state.hashes, queries[np.unique(family)], max_distance + reach)
        keep = state.comparable[rows]
        if allowed is not None:
            keep &= allowed.mask(state.ids[rows])
        asked, rows = asked[keep], rows[keep]
        query, row, distance = [], [], []
        for position, of in enumerate(np.unique(family).tolist()):
            near = rows[asked == position]
            for member in np.flatnonzero(family == of).tolist():
                bits = np.bitwise_count(state.hashes[near] ^ queries[member]).sum(axis=1, dtype=np.int64)
                within = bits <= max_distance
                row.append(near[within])
                distance.append(bits[within])
                query.append(np.full(len(row[-1]), member, np.int64))
        hits = np.stack((state.ids[np.concatenate(row)], np.concatenate(distance), np.concatenate(query)), axis=1)
        hits = hits[np.lexsort((hits[:, 2], hits[:, 0], hits[:, 1]))]
        return tuple(HashHit(*hit) for hit in hits.tolist())


def _near(
    hashes: npt.NDArray[np.uint8], queries: npt.NDArray[np.uint8], max_distance: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Query index [H] and row [H] of every hash [N, 32] within the distance of a query."""
    result = faiss.RangeSearchResult(len(queries))
    faiss.hamming_range_search(
        faiss.swig_ptr(queries),
        faiss.swig_ptr(hashes),
        len(queries),
        len(hashes),
        max_distance + 1,  # FAISS compares with a strict <
        HASH_BYTES,
        result,
        None,
    )
    ends = faiss.rev_swig_ptr(result.lims, len(queries) + 1).astype(np.int64)
    total = int(ends[-1])
    rows = faiss.rev_swig_ptr(result.labels, total).copy() if total else np.empty(0, np.int64)
    return np.repeat(np.arange(len(queries)), np.diff(ends)), rows


def _families(queries: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.int64], int]:
    """Groups near queries [Q, 32]: for each query the first query near it (itself if there is none earlier), and the
    largest distance in such a group. Anything near a query is within that much more of the group's first.
    """
    if len(queries) > MOST_OF_A_PICTURE:
        return np.arange(len(queries)), 0
    apart = np.bitwise_count(queries[:, None] ^ queries[None]).sum(axis=2, dtype=np.int64)
    family: list[int] = []
    for row in range(len(queries)):
        first = (leader for leader in dict.fromkeys(family) if apart[row, leader] <= _REACH)
        family.append(next(first, row))
    of = np.array(family, np.int64)
    return of, int(apart[np.arange(len(queries)), of].max())
