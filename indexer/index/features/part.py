"""An immutable part of the feature index: the features of some images in the inverted lists of the shipped codebook.

No part is trained, so parts are made and merged at any time and compare with each other.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import faiss
import numpy as np
import numpy.typing as npt

from indexer.copies.features.codebook import CODE_BYTES, LISTS, Codebook, Codes, ListNumbers
from indexer.copies.features.local_features import DIMENSION
from indexer.copies.features.packing import packed_codes
from indexer.index.vectors.exact import Ids
from indexer.index.vectors.selection import RowSelector

IMAGE: Final = np.dtype([("id", "<i8"), ("digest", "<u8")])
FEATURE_BYTES: Final = CODE_BYTES + 8
"""Of each feature in the lists: its code, and the id of its image."""

Images = npt.NDArray[np.void]


def digest_of(codes: bytes) -> int:
    """A digest of an image's packed features, 64 bits."""
    return int.from_bytes(hashlib.blake2b(codes, digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Features of images.

    Attributes:
        images: [N] of `IMAGE`, each image once, by rising id.
        index: FAISS inverted lists of codes, whose ids are those of the images; never changed.
        sizes: [8192] int64, features in each list.
    """

    images: Images
    index: "faiss.IndexIVFPQ"
    sizes: npt.NDArray[np.int64]

    @property
    def features(self) -> int:
        """How many features there are in all."""
        return int(self.index.ntotal)

    @property
    def ids(self) -> Ids:
        """The ids [N] of the images."""
        ids: Ids = self.images["id"]
        return ids

    def nearest(
        self, rotated: npt.NDArray[np.float32], lists: Ids, k: int, selector: RowSelector | None
    ) -> tuple[npt.NDArray[np.float32], Ids]:
        """The squared distances [Q, k] and image ids [Q, k] of the nearest features in the lists [Q, P] of each query
        feature [Q, 128], which is rotated. Where fewer than k are there, the ids are -1.
        """
        probed = np.ascontiguousarray(np.where(self.sizes[lists] > 0, lists, -1))
        distances, ids = np.empty((len(rotated), k), np.float32), np.empty((len(rotated), k), np.int64)
        parameters = faiss.SearchParametersIVF(sel=selector.handle if selector else None, nprobe=lists.shape[1])
        self.index.search_preassigned_c(
            len(rotated),
            faiss.swig_ptr(rotated),
            k,
            faiss.swig_ptr(probed),
            faiss.swig_ptr(np.zeros(probed.shape, np.float32)),
            faiss.swig_ptr(distances),
            faiss.swig_ptr(ids),
            False,
            parameters,
        )
        return distances, ids


def part_of(ids: Ids, packed: Sequence[bytes], book: Codebook) -> Part:
    """The part that holds the packed features of these images [N].

    Raises:
        UsageError: these are no packed features of this version.
    """
    read = [packed_codes(data) for data in packed]
    images = np.array([(image_id, digest_of(data)) for image_id, data in zip(ids.tolist(), packed, strict=True)], IMAGE)
    lists: ListNumbers = np.concatenate([np.empty(0, np.uint16), *(features.lists for features in read)])
    codes: Codes = np.concatenate([np.empty((0, CODE_BYTES), np.uint8), *(features.codes for features in read)])
    owners = np.repeat(ids.astype(np.int64), [len(features.lists) for features in read])
    order = np.argsort(lists, kind="stable")
    starts = np.searchsorted(lists[order], np.arange(LISTS + 1))
    index = _empty(book)
    for number in np.flatnonzero(np.diff(starts)).tolist():
        rows = order[starts[number] : starts[number + 1]]
        _append(index, number, owners[rows], codes[rows])
    index.ntotal = len(lists)
    return Part(np.sort(images, order="id"), index, np.diff(starts))


def merged(parts: Sequence[Part], gone: Ids, book: Codebook, pause: Callable[[], None] = lambda: None) -> Part:
    """One part with what these hold, but for the images `gone`. `pause` is called regularly and may raise to abort."""
    index, sizes = _empty(book), np.zeros(LISTS, np.int64)
    for number in np.flatnonzero(np.sum([part.sizes for part in parts], axis=0)).tolist():
        pause()
        for part in parts:
            owners, codes = _list(part, number)
            kept = ~np.isin(owners, gone) if len(gone) else np.ones(len(owners), np.bool_)
            if kept.any():
                _append(index, number, owners[kept], codes[kept])
                sizes[number] += int(np.count_nonzero(kept))
    index.ntotal = int(sizes.sum())
    images = np.concatenate([part.images for part in parts])
    return Part(np.sort(images[~np.isin(images["id"], gone)], order="id"), index, sizes)


def sizes_of(index: "faiss.IndexIVFPQ") -> npt.NDArray[np.int64]:
    """Features [8192] in each list of an index that was read."""
    return np.array([index.invlists.list_size(number) for number in range(LISTS)], np.int64)


def held(parts: Iterable[Part], ids: Ids) -> npt.NDArray[np.bool_]:
    """[N] bool: which of `ids` [N] a part holds."""
    here = np.zeros(len(ids), np.bool_)
    for part in parts:
        if len(part.ids):
            rows = np.searchsorted(part.ids, ids).clip(max=len(part.ids) - 1)
            here |= part.ids[rows] == ids
    return here


def _empty(book: Codebook) -> "faiss.IndexIVFPQ":
    index = faiss.IndexIVFPQ(faiss.IndexFlatL2(DIMENSION), DIMENSION, LISTS, CODE_BYTES, 8)
    index.by_residual = False  # all parts and lists measure alike, and a query needs one table
    index.is_trained = True
    faiss.copy_array_to_vector(book.parts.reshape(-1), index.pq.centroids)
    return index


def _append(index: "faiss.IndexIVFPQ", number: int, owners: Ids, codes: Codes) -> None:
    owners, codes = np.ascontiguousarray(owners), np.ascontiguousarray(codes)
    index.invlists.add_entries(number, len(owners), faiss.swig_ptr(owners), faiss.swig_ptr(codes))


def _list(part: Part, number: int) -> tuple[Ids, Codes]:
    """The image ids [M] and codes [M, 16] of a list; they point into the index."""
    size = int(part.sizes[number])
    if not size:
        return np.empty(0, np.int64), np.empty((0, CODE_BYTES), np.uint8)
    lists = part.index.invlists
    owners: Ids = faiss.rev_swig_ptr(lists.get_ids(number), size)
    codes: Codes = faiss.rev_swig_ptr(lists.get_codes(number), size * CODE_BYTES).reshape(size, CODE_BYTES)
    return owners, codes
