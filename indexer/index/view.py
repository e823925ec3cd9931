"""One state of the index. A search takes it once and uses it to the end, so that its hits and the state it names belong
together, whatever is added meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.catalog.records.filters import ImageFilter
from indexer.copies.features import QueryFeatures
from indexer.errors import UsageError
from indexer.index.features import FeatureStore
from indexer.index.filters import FilterCache
from indexer.index.vectors import HashHit, HashStore, Hits, Neighbours, VectorStore, nearest_neighbours

HASH_BYTES = 32


@dataclass(frozen=True, slots=True, eq=False)
class IndexView:
    """The state one search works on. Threads may share it.

    Attributes:
        vectors: the embeddings of the detector.
        copies: those of the copy descriptor, None without one.
        features: the local features, None where they are turned off.
        change_id: the catalogue's change counter at this state.
        filters_id: the same for changes relevant to filters.
        knows_lists: whether there are hash lists.
        lists_fakes: whether one of them lists known fakes.
    """

    vectors: VectorStore
    copies: VectorStore | None
    features: FeatureStore | None
    hashes: HashStore
    listed: HashStore
    change_id: int
    filters_id: int
    knows_lists: bool
    lists_fakes: bool
    _filters: FilterCache

    def nearest(self, vectors: npt.NDArray[np.float32], k: int, image_filter: ImageFilter | None = None) -> Hits:
        """As `SearchIndex.nearest`."""
        if k < 1:
            raise UsageError(f"a search returns at least one match, not {k}")
        queries = _normalised(vectors, self.vectors.folder.dimension)
        return self.vectors.search(queries, k, self._filters.allowed(image_filter, self.filters_id))

    def nearest_copies(self, vectors: npt.NDArray[np.float32], k: int, image_filter: ImageFilter | None = None) -> Hits:
        """The k images whose copy embeddings are most similar to each query, as `nearest` gives them; none at all
        without a copy descriptor.

        Args:
            vectors: [V, D] embeddings by the copy descriptor, of views of one picture for example.
        """
        if k < 1:
            raise UsageError(f"a search returns at least one match, not {k}")
        if self.copies is None:
            return Hits.none(len(vectors), k)
        queries = _normalised(vectors, self.copies.folder.dimension)
        return self.copies.search(queries, k, self._filters.allowed(image_filter, self.filters_id))

    def features_near(
        self, query: QueryFeatures, k: int, image_filter: ImageFilter | None = None
    ) -> list[tuple[int, float]]:
        """Up to k images that share local features with a query or with its mirror image, and the votes for each, the
        likeliest first; none where features are turned off."""
        if k < 1:
            raise UsageError(f"a search returns at least one match, not {k}")
        if self.features is None:
            return []
        return self.features.search(query, k, self._filters.allowed(image_filter, self.filters_id))

    def copy_vectors_of(self, image_ids: Sequence[int]) -> dict[int, npt.NDArray[np.float32]]:
        """The copy embeddings [D] of the given images, by internal id, where they have one."""
        return {} if self.copies is None else self.copies.vectors_of(np.array(image_ids, np.int64))

    def same_picture(
        self, hashes: Sequence[bytes], max_distance: int, image_filter: ImageFilter | None = None
    ) -> tuple[HashHit, ...]:
        """As `SearchIndex.same_picture`."""
        if max_distance < 0 or any(len(bits) != HASH_BYTES for bits in hashes):
            raise UsageError("a PDQ hash has 256 bits (64 hexadecimal digits), and distances are not negative")
        return self.hashes.search(_rows(hashes), max_distance, self._filters.allowed(image_filter, self.filters_id))

    def listed_picture(self, hashes: Sequence[bytes], max_distance: int) -> tuple[HashHit, ...]:
        """As `SearchIndex.listed_picture`."""
        return self.listed.search(_rows(hashes), max_distance)

    def vectors_of(self, image_ids: Sequence[int]) -> dict[int, npt.NDArray[np.float32]]:
        """As `SearchIndex.vectors_of`."""
        return self.vectors.vectors_of(np.array(image_ids, np.int64))

    def admitted(self, image_ids: Sequence[int], image_filter: ImageFilter | None) -> list[int]:
        """Which of the given images meet a filter, in their order."""
        allowed = self._filters.allowed(image_filter, self.filters_id)
        if allowed is None or not image_ids:
            return [*image_ids]
        met = allowed.mask(np.array(image_ids, np.int64))
        return [image_id for image_id, meets in zip(image_ids, met.tolist(), strict=True) if meets]

    def within(self, hashes: Sequence[bytes], image_ids: Sequence[int], max_distance: int) -> list[int]:
        """Those of these images whose PDQ hash is within a distance of one of `hashes`, in their order."""
        return self.hashes.within(_rows(hashes), image_ids, max_distance) if hashes else []

    def neighbours(self, k: int, image_filter: ImageFilter | None = None) -> Neighbours:
        """As `SearchIndex.neighbours`."""
        return nearest_neighbours(self.vectors, k, self._filters.allowed(image_filter, self.filters_id))

    def copy_neighbours(self, k: int, image_filter: ImageFilter | None = None) -> Neighbours | None:
        """The k nearest images to each image by copy embedding; None without a copy descriptor."""
        if self.copies is None:
            return None
        return nearest_neighbours(self.copies, k, self._filters.allowed(image_filter, self.filters_id))

    @property
    def approximate(self) -> bool:
        """Whether a search with a larger k may find other nearest images."""
        manifest = self.vectors.manifest
        return manifest is not None and manifest.kind == "ivf"

    @property
    def copies_lacking(self) -> int:
        """Images of this state without an embedding by the copy descriptor in use; without one, those without local
        features, which a picture with too little in it has not; 0 where neither is in use."""
        store = self.features if self.copies is None else self.copies
        return 0 if store is None else max(0, self.hashes.images - store.count)

    @property
    def newest_image(self) -> int:
        """The internal id of the newest image in this state."""
        return self.hashes.watermark

    @property
    def size(self) -> int:
        """Embeddings that can be found."""
        return self.vectors.count

    @property
    def snapshot_id(self) -> str:
        """The digest of the snapshot (`unsaved` without one), then after a `+` the newest embedding and tombstone that
        are not in it, if any; then, after a `/` each, the same of the copy index, where there is one, and up to where
        local features were followed, where there are any. The same content gives the same digest everywhere.
        """
        states = [_state_of(store) for store in (self.vectors, self.copies) if store is not None]
        if self.features is not None and self.features.watermark:
            states.append(f"{self.features.watermark}.{self.features.tombstone_watermark}")
        return "/".join(states)


def _state_of(store: VectorStore) -> str:
    manifest = store.manifest
    base = manifest.snapshot if manifest else "unsaved"
    marks = (store.watermark, store.tombstone_watermark)
    if manifest and marks == (manifest.watermark, manifest.tombstone_watermark):
        return base
    return f"{base}+{marks[0]}.{marks[1]}"


def _rows(hashes: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, HASH_BYTES)


def _normalised(vectors: npt.NDArray[np.float32], dimension: int) -> npt.NDArray[np.float32]:
    values = np.asarray(vectors, np.float64)
    if values.ndim != 2 or values.shape[1] != dimension:
        raise UsageError(
            f"a query embedding has {dimension} numbers, not shape {list(values.shape)}: "
            "was it made by another detector or descriptor?"
        )
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise UsageError("a query embedding must be made of finite numbers, not all zero")
    unit: npt.NDArray[np.float32] = (values / norms).astype(np.float32)
    return unit
