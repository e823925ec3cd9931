"""The vectors of one detector: an immutable main index, an exact tail of later additions, and deletions. Searches never
wait for writers: each works on one state, and every change replaces the state with a new one.
"""

import threading
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from indexer.arrays import Vectors
from indexer.errors import VectorIndexError
from indexer.index.vectors.allowed import Allowed
from indexer.index.vectors.exact import Ids, exact_search
from indexer.index.vectors.growing import GrowingRows
from indexer.index.vectors.hits import Hits
from indexer.index.vectors.main_index import MainIndex
from indexer.index.vectors.manifest import Manifest
from indexer.index.vectors.selection import Mask, Selection
from indexer.index.vectors.snapshots import VECTORS, Block, SnapshotFolder, SnapshotPlan
from indexer.threads import thread_count

BLOCK_ROWS = 1 << 15
NORM_TOLERANCE = 1e-2


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """The state one search works on. Live rows are those not deleted; None: no row of the main index is deleted."""

    main: MainIndex | None
    main_live: Selection | None
    tail_ids: Ids
    tail_vectors: Vectors
    tail_live: Selection
    watermark: int
    tombstone_watermark: int

    @property
    def tail(self) -> int:
        return self.tail_live.count

    def rows_of(self, ids: Ids) -> Iterator[tuple[Ids, Vectors, Ids]]:
        """Ids and vectors of the main index and of the tail, and their searchable rows that have `ids`."""
        if self.main:
            rows = self.main.rows_of(ids)
            yield self.main.ids, self.main.vectors, rows if self.main_live is None else rows[self.main_live.mask[rows]]
        if len(self.tail_ids):
            yield self.tail_ids, self.tail_vectors, np.flatnonzero(np.isin(self.tail_ids, ids) & self.tail_live.mask)

    @property
    def deleted(self) -> int:
        return 0 if self.main_live is None else len(self.main_live.mask) - self.main_live.count


class VectorStore:
    """Vectors by id, searched by cosine. Threads may share a store and call all its methods concurrently.

    Ids are non-negative. Additions and deletions are held in memory until `write_snapshot`; after reopening the store,
    repeat the additions after `watermark` and the deletions after `tombstone_watermark`.
    """

    def __init__(self, folder: SnapshotFolder, main: MainIndex | None, *, threads: int = 0) -> None:
        """A store on the opened snapshot `main`, or an empty one. `threads`: OpenMP threads of a batch, 0: all."""
        self.folder = folder
        self._threads = thread_count(threads)
        self._writing = threading.Lock()
        self._ids = GrowingRows(np.int64)
        self._vectors = GrowingRows(np.float32, folder.dimension)
        self._tail_rows: dict[int, int] = {}
        self._state = _State(
            main,
            None,
            np.empty(0, np.int64),
            np.empty((0, folder.dimension), np.float32),
            Selection(np.empty(0, np.bool_)),
            main.manifest.watermark if main else 0,
            main.manifest.tombstone_watermark if main else 0,
        )

    @classmethod
    def open(cls, folder: SnapshotFolder, *, threads: int = 0) -> "VectorStore":
        """The current snapshot of `folder`; an empty store if there is none.

        Everything but the vectors is verified against its checksum; the vectors, which are most of the bytes, only by
        `check`.

        Raises:
            FingerprintMismatchError: the snapshot is of another detector.
            VectorIndexError: the snapshot is damaged or cannot be read.
        """

        def opened(name: str) -> MainIndex:
            manifest = folder.manifest(name)
            manifest.check_files(folder.path / name, but_size_only=(VECTORS,))
            return MainIndex(folder.path / name, manifest)

        return cls(folder, folder.opened(opened), threads=threads)

    def check(self, pause: Callable[[], None] = lambda: None) -> None:
        """Verify the vectors of the snapshot against their checksum; reads them all, about a second per gigabyte.
        `pause` is called regularly and may raise to abort.

        Raises:
            VectorIndexError: they are damaged, or another process removed the snapshot and parts are missing.
        """
        main = self._state.main
        if main is not None:
            main.manifest.entry(VECTORS).check(self.folder.path / main.name, pause=pause)

    def at_this_moment(self) -> "VectorStore":
        """A read-only view of the current content, unaffected by later additions and deletions."""
        return copy(self)  # a state is never changed, only replaced

    @property
    def snapshot(self) -> str | None:
        """Folder name of the snapshot this store was opened on."""
        main = self._state.main
        return main.name if main else None

    @property
    def manifest(self) -> Manifest | None:
        """Manifest of the snapshot this store was opened on."""
        main = self._state.main
        return main.manifest if main else None

    @property
    def watermark(self) -> int:
        """Everything up to this embedding id was added."""
        return self._state.watermark

    @property
    def tombstone_watermark(self) -> int:
        """Every deletion up to this tombstone id was made."""
        return self._state.tombstone_watermark

    @property
    def count(self) -> int:
        """The number of searchable vectors."""
        state = self._state
        return (len(state.main.ids) if state.main else 0) - state.deleted + state.tail

    @property
    def tail(self) -> int:
        """The number of searchable vectors that are not in the snapshot."""
        return self._state.tail

    @property
    def deleted(self) -> int:
        """The number of rows of the snapshot that are deleted."""
        return self._state.deleted

    def add(self, ids: Ids, vectors: Vectors, watermark: int) -> None:
        """Make vectors searchable at once; an existing id gets its new vector.

        Args:
            ids: [N] int64, >= 0; the last of equal ids counts.
            vectors: [N, D], L2-normalised.
            watermark: the newest embedding id among everything added so far.

        Raises:
            VectorIndexError: a vector has the wrong length or is not normalised; nothing was added.
        """
        vectors = np.asarray(vectors, np.float32)
        if vectors.shape != (len(ids), self.folder.dimension):
            raise VectorIndexError(
                f"embeddings of shape {vectors.shape} do not fit an index of {self.folder.dimension} numbers each"
            )
        norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
        wrong = np.flatnonzero(~(np.abs(norms - 1) <= NORM_TOLERANCE))
        if len(wrong):
            raise VectorIndexError(f"the embedding of image {ids[wrong[0]]} is not normalised: detect that image again")
        last = {int(image_id): position for position, image_id in enumerate(ids)}
        places = np.fromiter(last.values(), np.int64, len(last))
        with self._writing:
            state = self._without(self._state, ids)
            rows = len(state.tail_ids)
            self._tail_rows.update(zip(last, range(rows, rows + len(last)), strict=True))
            self._state = replace(
                state,
                tail_ids=cast(Ids, self._ids.append(ids[places])),
                tail_vectors=cast(Vectors, self._vectors.append(vectors[places])),
                tail_live=Selection(np.concatenate((state.tail_live.mask, np.ones(len(last), np.bool_)))),
                watermark=max(state.watermark, watermark),
            )

    def delete(self, ids: Ids, tombstone_watermark: int) -> None:
        """Remove ids from searches at once; unknown ids are ignored.

        Args:
            ids: [N] int64.
            tombstone_watermark: the newest tombstone id among everything deleted so far.
        """
        with self._writing:
            state = self._without(self._state, ids)
            self._state = replace(state, tombstone_watermark=max(state.tombstone_watermark, tombstone_watermark))

    def _without(self, state: _State, ids: Ids) -> _State:
        main_live, tail_live = state.main_live, state.tail_live
        if state.main and len(rows := state.main.rows_of(ids)):
            main_live = _less(main_live, len(state.main.ids), rows)
        gone = [row for image_id in ids.tolist() if (row := self._tail_rows.pop(image_id, None)) is not None]
        if gone:
            tail_live = _less(tail_live, len(tail_live.mask), np.array(gone))
        return replace(state, main_live=main_live, tail_live=tail_live)

    def search(self, queries: Vectors, k: int, allowed: Allowed | None = None, *, quick: bool = False) -> Hits:
        """The k most similar vectors of each query, best first; equal cosines by rising id.

        Exact while the snapshot has no IVF index, and for filters that leave few rows; the tail always is.

        Args:
            queries: [Q, D] float32, L2-normalised.
            k: how many, at least 1; fewer are returned only if fewer exist.
            allowed: the ids that may be found, None for all.
            quick: probe few lists of an IVF index, at the cost of recall.
        """
        state = self._state
        queries = np.ascontiguousarray(queries, np.float32)
        hits = Hits.none(len(queries), k)
        if state.main:
            selection = state.main_live if allowed is None else allowed.among(state.main.ids, state.main_live)
            hits = state.main.search(queries, k, selection, self._threads, quick=quick)
        if state.tail:
            live = state.tail_live
            selection = live if allowed is None else Selection(live.mask & allowed.mask(state.tail_ids))
            newer = exact_search(state.tail_ids, state.tail_vectors, queries, k, selection, self._threads)
            hits = hits.beside(newer).ranked(k)
        return hits

    def vectors_of(self, ids: Ids) -> dict[int, Vectors]:
        """The vectors [D] of the searchable ones of `ids`, by id; bit-identical to what was added."""
        vectors: dict[int, Vectors] = {}
        for part_ids, part_vectors, rows in self._state.rows_of(ids):
            vectors.update(zip(part_ids[rows].tolist(), part_vectors[rows], strict=True))
        return vectors

    def blocks(self) -> Iterator[Block]:
        """All searchable vectors, in the order they were added, a few thousand at a time."""
        return _blocks(self._state)

    def sample(self, count: int) -> Block:
        """Up to `count` searchable vectors of the snapshot and as many of the tail, spread evenly over each."""
        ids = [np.empty(0, np.int64)]
        vectors = [np.empty((0, self.folder.dimension), np.float32)]
        for part_ids, part_vectors, live in _parts(self._state):
            rows = np.arange(len(part_ids)) if live is None else np.flatnonzero(live)
            rows = rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64)]
            ids.append(part_ids[rows])
            vectors.append(part_vectors[rows])
        return Block(np.concatenate(ids), np.concatenate(vectors))

    def write_snapshot(self, plan: SnapshotPlan) -> str:
        """Write all searchable vectors as the new current snapshot, for `open`. Needs the folder's lock. This store
        keeps its own state, so searches are unaffected. Returns the name of the snapshot.

        Raises:
            VectorIndexError: as `SnapshotFolder.write`.
        """
        state = self._state
        return self.folder.write(_blocks(state), state.watermark, state.tombstone_watermark, plan)


def _parts(state: _State) -> list[tuple[Ids, Vectors, Mask | None]]:
    tail = (state.tail_ids, state.tail_vectors, state.tail_live.mask)
    if state.main is None:
        return [tail]
    return [(state.main.ids, state.main.vectors, state.main_live.mask if state.main_live else None), tail]


def _less(live: Selection | None, rows: int, gone: Ids) -> Selection:
    """`live` of `rows` rows (None: all of them) without the rows `gone`."""
    mask = np.ones(rows, np.bool_) if live is None else live.mask.copy()
    mask[gone] = False
    return Selection(mask)


def _blocks(state: _State) -> Iterator[Block]:
    for ids, vectors, live in _parts(state):
        for start in range(0, len(ids), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            kept = slice(None) if live is None else live[rows]
            yield Block(ids[rows][kept], vectors[rows][kept])
