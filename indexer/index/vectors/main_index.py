"""One opened snapshot: immutable, memory-mapped, searched exactly or by IVF depending on its size and the filter."""

from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import faiss
import numpy as np

from indexer.arrays import Vectors
from indexer.errors import VectorIndexError
from indexer.index.vectors.exact import Ids, exact_search, search_deep_enough
from indexer.index.vectors.hits import NO_HIT, Hits
from indexer.index.vectors.ivf import IvfIndex, IvfParameters
from indexer.index.vectors.manifest import Manifest
from indexer.index.vectors.selection import Selection
from indexer.index.vectors.snapshots import IDS, IVF, VECTORS, map_vectors

EXACT_ROWS = 10_000
"""A filter that leaves at most this many rows is always answered exactly, in less than a millisecond."""


class MainIndex:
    """The vectors of one snapshot. Any number of threads may use it; nothing in it ever changes.

    Attributes: `name` of the snapshot folder, `manifest`, `ids` [N] int64 by row, `vectors` [N, D] float32 by row.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Map the files of `folder`, which were already verified against `manifest`.

        Raises:
            VectorIndexError: a file cannot be read.
        """
        self.name = folder.name
        self.manifest = manifest
        try:
            self.ids: Ids = np.fromfile(folder / IDS, "<i8")
            self.vectors: Vectors = map_vectors(folder / VECTORS, manifest.count, manifest.dimension)
            self._ivf = self._opened(folder / IVF) if manifest.kind == "ivf" else None
        except (OSError, RuntimeError, TypeError) as error:
            raise VectorIndexError(f"the vector index in {folder} cannot be read: {error}") from error

    def _opened(self, path: Path) -> IvfIndex:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        return IvfIndex(index, self.vectors, IvfParameters(**self.manifest.parameters))

    def searched_with(self, *, probes: int, refined: int) -> "MainIndex":
        """The same IVF index with other search parameters, for measuring; both remain usable."""
        parameters = {**self.manifest.parameters, "probes": probes, "refined": refined}
        other = copy(self)
        other.manifest = replace(self.manifest, parameters=parameters)
        if self._ivf is not None:
            other._ivf = self._ivf.searched_with(IvfParameters(**parameters))
        return other

    @cached_property
    def _by_id(self) -> tuple[Ids, Ids]:
        """The ids, rising, and their rows. Most snapshots are already in that order."""
        if (self.ids[1:] > self.ids[:-1]).all():
            return self.ids, np.arange(len(self.ids))
        order = np.argsort(self.ids, kind="stable")
        return self.ids[order], order

    def rows_of(self, ids: Ids) -> Ids:
        """The rows of those `ids` that exist here, in any order."""
        rising, rows = self._by_id
        places = np.searchsorted(rising, ids)
        places[places == len(rising)] = 0
        here = rising[places] == ids if len(rising) else np.zeros(len(ids), np.bool_)
        matching: Ids = rows[places[here]]
        return matching

    def search(
        self, queries: Vectors, k: int, selection: Selection | None, threads: int, *, quick: bool = False
    ) -> Hits:
        """The k best rows, ranked. `selection`: the rows that may be found, None for all; `quick`: see IvfIndex."""
        live = len(self.ids) if selection is None else selection.count
        ivf = self._ivf
        if ivf is None or live <= EXACT_ROWS or (selection is not None and ivf.scans_faster_than_this(selection)):
            return exact_search(self.ids, self.vectors, queries, k, selection, threads)
        hits = search_deep_enough(
            lambda some, depth: ivf.candidates(some, depth, selection, threads, quick=quick),
            self.ids,
            self.vectors,
            queries,
            k,
            live,
        )
        short = np.flatnonzero((hits.ids == NO_HIT).sum(axis=1) > max(0, k - live))
        if len(short):
            again = exact_search(self.ids, self.vectors, queries[short], k, selection, threads)
            hits.ids[short], hits.scores[short] = again.ids, again.scores
        return hits
