"""Searching the approximate index of a large catalogue: inverted lists of 4-bit product codes, candidates re-ranked by
their full vectors.

FAISS `IVF{lists},PQ{dimension / 2}x4fsr`. The codes encode a vector's residual from its list's centroid, and re-ranking
uses the snapshot's vectors: nothing is stored twice. The file is memory-mapped, so several processes share one copy.
Building is in ivf_building.py, choosing parameters in tuning.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np
import numpy.typing as npt

from indexer.arrays import Vectors
from indexer.index.vectors.exact import SURPLUS, Ids, inner_products
from indexer.index.vectors.hits import NO_HIT
from indexer.index.vectors.selection import Selection
from indexer.threads import SINGLE_QUERY, limit_faiss

FILTERED_SHARE = 0.99
"""A few deleted rows make no filter."""
FILTERED_PROBES = 9
"""Times the lists probed without a filter: at a million vectors, filters that leave 3 to 50 %, by chance or by whole
clusters, then keep a recall of .99 (`benchmarks.filters`)."""
FILTERED_REFINED = 2
"""Times the candidates re-ranked without a filter."""
SIFTED_SHARE = 0.3
"""A filter that leaves more is first tried on the answers of a search without it: where the nearest few hold enough of
what it allows, no list need be probed for its sake. Most searches ask for known fakes, a large part of a catalogue."""
SIFTED_PROBES, SIFTED_DEEPER = 2, 1.5
"""Times the lists probed without a filter, and times as many answers as should hold enough."""
QUICK_PROBES, QUICK_REFINED = 8, 4
"""Lists probed and candidates re-ranked for each hit wanted, at most, by who does not miss single neighbours."""
NANOSECONDS_A_VECTOR, NANOSECONDS_A_CODE = 95, 17
"""What a scan of scattered vectors and one of lists with a filter take, for choosing between them."""
MOST_CANDIDATES = 1 << 14
CENTRES_COMPARED, CENTRES_COMPARED_LEAST = 4.0, 64
"""Centres of lists compared exactly for each list probed, and in all."""


@dataclass(frozen=True, slots=True)
class IvfParameters:
    """How an IVF index was built and is searched; stored in the manifest of its snapshot. `lists` of similar size were
    trained on `training_rows` of `trained_on` vectors, with `code_bytes` per vector. A search probes `probes` lists and
    re-ranks `refined` candidates per requested hit.
    """

    lists: int
    code_bytes: int
    training_rows: int
    trained_on: int
    seed: int
    probes: int
    refined: int

    def as_mapping(self) -> Mapping[str, int]:
        """For the manifest."""
        return {name: getattr(self, name) for name in self.__slots__}


def list_centres(index: "faiss.IndexIVF") -> "faiss.IndexFlat":
    """The centroids of an index's lists, for exact comparison."""
    quantizer = faiss.downcast_index(index.quantizer)
    return faiss.downcast_index(quantizer.refine_index) if isinstance(quantizer, faiss.IndexRefine) else quantizer


class IvfIndex:
    """A built IVF index and its rows, immutable; any number of threads may search it. The shared FAISS index is never
    modified: probes and filters are passed with each call.
    """

    def __init__(self, index: "faiss.IndexIVF", vectors: Vectors, parameters: IvfParameters) -> None:
        """Args: `vectors` [N, D] float32 by row, as they were added to `index`."""
        self._index = index
        self._vectors = vectors
        self._parameters = parameters
        self._centres = list_centres(index)
        self._coded_centres = isinstance(faiss.downcast_index(index.quantizer), faiss.IndexRefine)

    def searched_with(self, parameters: IvfParameters) -> "IvfIndex":
        """The same index with other `probes` and `refined`; both remain usable."""
        return IvfIndex(self._index, self._vectors, parameters)

    def candidates(
        self, queries: Vectors, depth: int, selection: Selection | None, threads: int, *, quick: bool = False
    ) -> Ids:
        """The `depth` rows [Q, depth] int64 nearest to each query, in any order, -1 where the probed lists hold no
        more.

        Args:
            queries: [Q, D] float32, C-contiguous.
            depth: the requested hits plus SURPLUS.
            selection: the rows that may be found; None for all.
            quick: probe and re-rank little, at the cost of recall.
        """
        filtered = selection is not None and selection.share < FILTERED_SHARE
        most = len(self._vectors) if selection is None else selection.count
        probes, refined = self._parameters.probes, self._parameters.refined
        if quick:
            probes, refined = min(QUICK_PROBES, probes), min(QUICK_REFINED, refined)
        factor = refined * (FILTERED_REFINED if filtered else 1)
        count = max(min(depth, most), min(most, factor * max(1, depth - SURPLUS), MOST_CANDIDATES))
        limit_faiss(threads if len(queries) > 1 else SINGLE_QUERY)
        if selection is None or not filtered:
            return self._best(self.scan(queries, count, probes, selection), queries, depth, threads)
        if selection.share < SIFTED_SHARE:
            return self._best(self._scan_filtered(queries, count, selection, probes), queries, depth, threads)
        rows = self._filtered_after_search(queries, depth, selection, SIFTED_PROBES * probes, refined, threads)
        short = np.flatnonzero(rows[:, -1] < 0)
        if len(short):
            some = np.ascontiguousarray(queries[short])
            rows[short] = NO_HIT
            nearest = self._best(self._scan_filtered(some, count, selection, probes), some, depth, threads)
            rows[short, : nearest.shape[1]] = nearest
        return rows

    def _best(self, rows: Ids, queries: Vectors, depth: int, threads: int) -> Ids:
        """The `depth` rows of each query's candidates [Q, n] that are nearest, in any order."""
        if rows.shape[1] <= depth:
            return rows
        return _highest(rows, inner_products(rows, self._vectors, queries, threads), depth)[0]

    def _filtered_after_search(
        self, queries: Vectors, depth: int, selection: Selection, probes: int, refined: int, threads: int
    ) -> Ids:
        """The first `depth` wanted rows [Q, depth] among the unfiltered nearest. The last is -1 where there are fewer:
        the filter then leaves too few rows near the query, and a filtered scan is needed.
        """
        looked_at = min(len(self._vectors), int(SIFTED_DEEPER * depth / selection.share))
        count = min(len(self._vectors), MOST_CANDIDATES, int(refined * depth / selection.share))
        rows = self.scan(queries, max(count, looked_at), probes)
        rows, scores = _highest(rows, inner_products(rows, self._vectors, queries, threads), looked_at)
        scores[(rows < 0) | ~selection.mask[rows]] = -np.inf
        order = np.argsort(-scores, axis=1)[:, :depth]
        here = np.arange(len(rows))[:, None]
        return np.where(np.isfinite(scores[here, order]), rows[here, order], NO_HIT)

    def scans_faster_than_this(self, selection: Selection) -> bool:
        """Whether an exact scan of the wanted rows takes no longer than searching this index."""
        if selection.share >= FILTERED_SHARE:
            return False
        codes = self._filtered_probes(selection, self._parameters.probes) * len(self._vectors) / self._parameters.lists
        return selection.count * NANOSECONDS_A_VECTOR <= codes * NANOSECONDS_A_CODE

    def scan(self, queries: Vectors, count: int, probes: int, selection: Selection | None = None) -> Ids:
        """The `count` rows [Q, count] whose codes are nearest in the nearest `probes` lists, best first, -1 where there
        are no more; with the threads of `limit_faiss`."""
        how = faiss.SearchParametersIVF(nprobe=probes, sel=None if selection is None else selection.by_bit.handle)
        if self._coded_centres:
            compared = max(CENTRES_COMPARED, CENTRES_COMPARED_LEAST / probes)
            how.quantizer_params = faiss.IndexRefineSearchParameters(k_factor=compared)
        _, rows = self._index.search(queries, count, params=how)
        return np.asarray(rows, np.int64)

    def _filtered_probes(self, selection: Selection, probes: int) -> int:
        return min(selection.lists(self._list_of_row, self._parameters.lists).count, FILTERED_PROBES * probes)

    def _scan_filtered(self, queries: Vectors, count: int, selection: Selection, unfiltered: int) -> Ids:
        """Filters often coincide with clusters and empty the lists nearest to a query, so only lists with wanted rows
        are probed.
        """
        held = selection.lists(self._list_of_row, self._parameters.lists)
        probes = self._filtered_probes(selection, unfiltered)
        only = faiss.SearchParameters(sel=held.selector.handle)
        nearest, numbers = self._centres.search(queries, probes, params=only)
        how = faiss.SearchParametersIVF(nprobe=probes, sel=selection.by_bit.handle)
        scores = np.empty((len(queries), count), np.float32)
        rows = np.empty((len(queries), count), np.int64)
        self._index.search_preassigned_c(  # the array wrapper takes no search parameters
            len(queries),
            faiss.swig_ptr(queries),
            count,
            *map(faiss.swig_ptr, (numbers, nearest, scores, rows)),
            False,
            how,
        )
        return rows

    @cached_property
    def _list_of_row(self) -> npt.NDArray[np.int32]:
        lists = self._index.invlists
        list_numbers = np.empty(len(self._vectors), np.int32)
        for number in range(self._parameters.lists):
            size = lists.list_size(number)
            if size:
                list_numbers[faiss.rev_swig_ptr(lists.get_ids(number), size)] = number
        return list_numbers


def _highest(rows: Ids, scores: Vectors, depth: int) -> tuple[Ids, Vectors]:
    """The `depth` highest-scoring rows of each query [Q, n] and their scores, in any order; all if n is smaller."""
    if rows.shape[1] <= depth:
        return rows, scores
    best = np.argpartition(scores, rows.shape[1] - depth, axis=1)[:, -depth:]
    return np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1)
