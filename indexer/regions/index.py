"""All features of a catalogue, and which images share some with a region."""

from collections.abc import Iterable

import faiss
import numpy as np

from indexer.regions.features import DIMENSION, RegionFeatures
from indexer.threads import limit_faiss, thread_count

EXACT_FEATURES = 200_000
"""Up to this many features every search compares all of them; above, those of the nearest inverted lists."""
PROBES = 24
NEIGHBOURS = 32
"""Nearest features looked at for each of the region's: the last stands for chance, so that a match must be nearer than
that; more copies of one picture than this hide each other."""
_TRAINING_FEATURES_A_LIST = 50


class FeatureIndex:
    """Features by the number of the image they belong to. Immutable; any number of threads may search it."""

    def __init__(self, images: Iterable[tuple[int, RegionFeatures]], *, threads: int = 0) -> None:
        """`images`: each with its internal id. `threads`: OpenMP threads, 0 for all."""
        self._threads = thread_count(threads)
        kept = [(image_id, features) for image_id, features in images if len(features)]
        self._ids = np.array([image_id for image_id, _ in kept], np.int64)
        lengths = np.array([len(features) for _, features in kept], np.int64)
        self._starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._owner = np.repeat(np.arange(len(kept)), lengths)
        self._points = np.concatenate([np.empty((0, 2), np.float32), *(one.points for _, one in kept)])
        self._descriptors = np.concatenate([np.empty((0, DIMENSION), np.uint8), *(one.descriptors for _, one in kept)])
        self._index = self._built()

    def __len__(self) -> int:
        return len(self._ids)

    def _built(self) -> "faiss.Index":
        limit_faiss(self._threads)
        count = len(self._descriptors)
        if count <= EXACT_FEATURES:
            index = faiss.IndexScalarQuantizer(DIMENSION, faiss.ScalarQuantizer.QT_8bit_direct, faiss.METRIC_L2)
        else:
            lists = round(4 * count**0.5)
            index = faiss.index_factory(DIMENSION, f"IVF{lists},SQ8_direct", faiss.METRIC_L2)
            index.nprobe = PROBES  # set once, before anybody searches
            rows = np.random.default_rng(0).choice(count, min(count, _TRAINING_FEATURES_A_LIST * lists), replace=False)
            index.train(self._descriptors[np.sort(rows)].astype(np.float32))
        for start in range(0, count, 1 << 17):
            index.add(self._descriptors[start : start + (1 << 17)].astype(np.float32))
        return index

    def candidates(self, query: RegionFeatures, most: int) -> list[int]:
        """The ids of up to `most` images that share features with the region, the likeliest first.

        Each feature of the region votes for the images of its nearest features, the more the nearer they are than the
        32nd (a soft form of Lowe's ratio test).
        """
        if len(query) == 0 or len(self._descriptors) == 0:
            return []
        limit_faiss(self._threads)
        neighbours = min(NEIGHBOURS, len(self._descriptors))
        distances, rows = self._index.search(query.descriptors.astype(np.float32), neighbours)
        votes = np.zeros(len(self._ids))
        for distance, row in zip(distances, rows, strict=True):
            near, owners = distance[row >= 0], self._owner[row[row >= 0]]
            if len(near) == 0:
                continue
            _, first = np.unique(owners, return_index=True)  # an image's nearest feature counts
            votes[owners[first]] += np.maximum(0.0, 1.0 - near[first] / max(float(near[-1]), 1e-6))
        ranked = np.lexsort((self._ids, -votes))[:most]
        return [int(self._ids[place]) for place in ranked if votes[place] > 0]

    def features(self, image_id: int) -> RegionFeatures:
        """What is kept of an image that is here."""
        place = int(np.flatnonzero(self._ids == image_id)[0])
        rows = slice(self._starts[place], self._starts[place + 1])
        return RegionFeatures(self._points[rows], self._descriptors[rows])
