"""Ways to group vectors: the product's, and its peers as their documentation says to call them.

Peers that are not installed (`pip install dejafake[bench]`) are left out.
"""

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN

from benchmarks.grouping.scores import Labels
from benchmarks.made_up.campaigns import Vectors
from indexer.campaigns.grouping.clustering import GroupingRule, group_images
from indexer.campaigns.grouping.graph import Links, cosine_distance, links, pieces
from indexer.index.vectors import SnapshotFolder, SnapshotPlan, VectorStore, nearest_neighbours
from indexer.settings import Settings
from indexer.threads import thread_count

MIN_SIZE = 3
SMALL = 5_000
"""Up to here every peer runs, with every threshold."""
NO_COPIES = links([], [], [])
OURS = "dejafake"
TUNED = "tuned on the truth"


@dataclass(frozen=True, slots=True)
class Method:
    """A way to group vectors. `package`: what must be installed; `most`: images beyond which it takes too long or too
    much memory here; `tuned`: whether this is one of several thresholds of which the truth chooses the best."""

    name: str
    package: str
    run: Callable[[Vectors], Labels]
    most: int
    tuned: bool = False

    @property
    def installed(self) -> bool:
        """Whether it can run."""
        return importlib.util.find_spec(self.package) is not None


def methods(min_cosine: float, thresholds: tuple[float, ...]) -> tuple[Method, ...]:
    """All ways. `min_cosine` is the smallest cosine that is evidence, for all that take one; `thresholds` are what
    those are tuned over."""
    return (
        Method(OURS, "sklearn", partial(by_dejafake, min_cosine=min_cosine), 10**7),
        *(
            Method(f"{name}, min_cluster_size {size}", package, partial(run, min_size=size), most)
            for name, package, run, most in (
                ("scikit-learn HDBSCAN", "sklearn", _sklearn_hdbscan, SMALL),
                ("hdbscan", "hdbscan", _hdbscan, SMALL),
                ("fast_hdbscan", "fast_hdbscan", _fast_hdbscan, 100_000),
            )
            for size in (MIN_SIZE, 5)
        ),
        *(
            Method(
                f"{name}, cosine {cosine:g}{f' ({TUNED})' if tuned else ''}", package, partial(run, cosine), most, tuned
            )
            for name, package, run, most in (
                ("DBSCAN", "sklearn", _dbscan, 20_000),
                ("community detection", "sentence_transformers", _communities, 20_000),
                ("connected components", "sklearn", _components, 20_000),
            )
            for cosine, tuned in ((min_cosine, False), *((threshold, True) for threshold in thresholds))
        ),
    )


def thorough(min_cosine: float) -> Method:
    """The product's way with neighbours that are looked for as a search looks for them, not as a graph does."""
    return Method(
        f"{OURS}, thorough neighbours", "sklearn", partial(by_dejafake, min_cosine=min_cosine, quick=False), 10**7
    )


def by_dejafake(vectors: Vectors, min_cosine: float, copies: Links = NO_COPIES, *, quick: bool = True) -> Labels:
    """The product's way from vectors to groups: vector store with its index, graph of neighbours, groups."""
    evidence = neighbour_links(vectors, quick=quick)
    rule = GroupingRule(MIN_SIZE, float(cosine_distance(min_cosine)))
    return group_images(len(vectors), copies, evidence, rule).group_of


def neighbour_links(vectors: Vectors, *, quick: bool = True) -> Links:
    """Links of each vector to its nearest, from a vector store made for them."""
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder:
        snapshot = SnapshotFolder(Path(folder), "f" * 64, vectors.shape[1])
        store = VectorStore(snapshot, None)
        store.add(np.arange(len(vectors)), vectors, len(vectors))
        if len(vectors) > settings.exact_search_max:
            with snapshot.lock(wait=True):
                store.write_snapshot(SnapshotPlan(settings.exact_search_max, thread_count(0)))
            store = VectorStore.open(snapshot)
        nearest = nearest_neighbours(store, min(settings.campaign_neighbours, len(vectors) - 1), quick=quick)
    first = np.repeat(nearest.ids, nearest.neighbours.shape[1])
    second = nearest.neighbours.reshape(-1)
    known = second >= 0
    return links(first[known], second[known], cosine_distance(nearest.cosines.reshape(-1)[known]))


def _sklearn_hdbscan(vectors: Vectors, min_size: int) -> Labels:
    return np.asarray(HDBSCAN(min_cluster_size=min_size, copy=True).fit_predict(vectors), np.int64)


def _hdbscan(vectors: Vectors, min_size: int) -> Labels:
    import hdbscan

    return np.asarray(hdbscan.HDBSCAN(min_cluster_size=min_size).fit_predict(vectors), np.int64)


def _fast_hdbscan(vectors: Vectors, min_size: int) -> Labels:
    import fast_hdbscan

    return np.asarray(fast_hdbscan.HDBSCAN(min_cluster_size=min_size).fit_predict(vectors), np.int64)


def _dbscan(cosine: float, vectors: Vectors) -> Labels:
    return np.asarray(DBSCAN(eps=1 - cosine, min_samples=MIN_SIZE, metric="cosine").fit_predict(vectors), np.int64)


def _communities(cosine: float, vectors: Vectors) -> Labels:
    from sentence_transformers.util import community_detection

    labels = np.full(len(vectors), -1, np.int64)
    for number, members in enumerate(community_detection(vectors, threshold=cosine, min_community_size=MIN_SIZE)):
        labels[members] = number
    return labels


def _components(cosine: float, vectors: Vectors) -> Labels:
    """What all links of at least this cosine connect."""
    first, second = (np.concatenate(side) for side in zip(*_near_pairs(vectors, cosine), strict=True))
    piece = pieces(len(vectors), links(first, second, np.ones(len(first))))
    return np.where(np.bincount(piece)[piece] >= MIN_SIZE, piece, -1)


def _near_pairs(vectors: Vectors, cosine: float) -> Iterator[tuple[Labels, Labels]]:
    for start in range(0, len(vectors), 1_000):
        left, right = np.nonzero(vectors[start : start + 1_000] @ vectors.T >= cosine)
        yield left + start, right
