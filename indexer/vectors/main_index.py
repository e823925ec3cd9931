"""One opened snapshot: immutable, memory-mapped, searched exactly or by IVF depending on its size and the filter."""

from pathlib import Path

import numpy as np

from indexer.errors import VectorIndexError
from indexer.vectors.exact import Ids, Mask, Vectors, exact_search, search_deep_enough
from indexer.vectors.hits import NO_HIT, Hits
from indexer.vectors.ivf import IvfIndex, IvfParameters
from indexer.vectors.manifest import Manifest
from indexer.vectors.snapshots import IDS, IVF, VECTORS, map_vectors

EXACT_ROWS = 30_000
"""A filter that leaves at most this many rows is always answered exactly. That takes under 3 ms, less than probing as
many lists as a filter that follows the clusters would need."""


class MainIndex:
    """The vectors of one snapshot. Any number of threads may use it; nothing in it ever changes.

    Attributes: `name` of the snapshot folder, `manifest`, `ids` [N] int64 by row, `vectors` [N, D] float32 by row.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Map the files of `folder`, which were checked against `manifest` before.

        Raises:
            VectorIndexError: a file cannot be read.
        """
        self.name = folder.name
        self.manifest = manifest
        try:
            self.ids: Ids = np.fromfile(folder / IDS, "<i8")
            self.vectors: Vectors = map_vectors(folder / VECTORS, manifest.count, manifest.dimension)
            parameters = IvfParameters(**manifest.parameters) if manifest.kind == "ivf" else None
            self._ivf = None if parameters is None else IvfIndex(folder / IVF, parameters)
        except (OSError, RuntimeError, TypeError) as error:
            raise VectorIndexError(f"the vector index in {folder} cannot be read: {error}") from error
        self._order = np.argsort(self.ids, kind="stable")
        self._sorted_ids = self.ids[self._order]

    def rows_of(self, ids: Ids) -> Ids:
        """The rows of those of `ids` that are here, in any order."""
        places = np.searchsorted(self._sorted_ids, ids)
        places[places == len(self._sorted_ids)] = 0
        here = self._sorted_ids[places] == ids if len(self._sorted_ids) else np.zeros(len(ids), np.bool_)
        rows: Ids = self._order[places[here]]
        return rows

    def search(self, queries: Vectors, k: int, mask: Mask | None, threads: int) -> Hits:
        """The k best rows, ranked. `mask` [N] bool: the rows that may be found, None for all."""
        live = len(self.ids) if mask is None else int(np.count_nonzero(mask))
        if self._ivf is None or live <= EXACT_ROWS:
            return exact_search(self.ids, self.vectors, queries, k, mask, threads)
        ivf = self._ivf
        hits = search_deep_enough(
            lambda some, depth: ivf.candidates(some, depth, mask, live, threads),
            self.ids,
            self.vectors,
            queries,
            k,
            live,
        )
        short = np.flatnonzero((hits.ids == NO_HIT).sum(axis=1) > max(0, k - live))
        if len(short):
            again = exact_search(self.ids, self.vectors, queries[short], k, mask, threads)
            hits.ids[short], hits.scores[short] = again.ids, again.scores
        return hits
