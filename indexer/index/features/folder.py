"""The folder that holds the saved parts of a feature index: immutable files, a manifest that lists them, and one rename
that makes another manifest current.
"""

import contextlib
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
import numpy.typing as npt

from indexer.copies.features.codebook import LISTS, codebook
from indexer.errors import FingerprintMismatchError, VectorIndexError
from indexer.index.features.manifest import FeatureManifest, PartEntry
from indexer.index.features.part import FEATURE_BYTES, IMAGE, Part, held, merged, part_of, sizes_of
from indexer.index.vectors.durable import SealedFile, fsync_folder
from indexer.index.vectors.exact import Ids
from indexer.index.vectors.manifest import FileEntry
from indexer.index.vectors.pointed import BUILDING, PointedFolder

IMAGES_OF_A_PART: Final = 200_000
"""Parts are merged up to so many images, so that merging takes little memory."""
_LIKE_SIZE: Final = 4
"""A saved part with at most so many times the images of the next is merged with it."""
_GONE_SHARE: Final = 0.2
"""A part of which so many images are deleted is written anew."""
_WRITE_BYTES: Final = 1 << 20
_OURS: Final = re.compile(r"[0-9a-f]{12}-[0-9a-f]{8}\.json|[0-9a-f]{16}\.(images|lists|gone)")


@dataclass(frozen=True, slots=True, eq=False)
class PackedBlock:
    """The packed features of some images: `ids` [N] int64, N `packed`, empty of pictures with too little in them."""

    ids: Ids
    packed: Sequence[bytes]


@dataclass(frozen=True, slots=True, eq=False)
class OpenedParts:
    """What a manifest lists, memory-mapped. `gone`: deleted images that a part still holds, rising."""

    name: str
    manifest: FeatureManifest
    parts: tuple[Part, ...]
    gone: Ids


@dataclass(frozen=True, slots=True)
class FeatureFolder(PointedFolder):
    """The feature index of the method and codebook `fingerprint` in the folder `path`."""

    fingerprint: str

    @property
    def bytes(self) -> int:
        """Size of the current files together, 0 where there are none or they cannot be read."""
        with contextlib.suppress(VectorIndexError):
            if name := self.current():
                return sum(entry.size for entry in FeatureManifest.read(self.path / f"{name}.json").files)
        return 0

    def open(self, name: str) -> OpenedParts:
        """What the manifest `name` lists.

        Raises:
            FingerprintMismatchError: it holds features of another method or codebook.
            VectorIndexError: it is damaged or cannot be read.
        """
        manifest = FeatureManifest.read(self.path / f"{name}.json")
        if manifest.fingerprint != self.fingerprint:
            raise FingerprintMismatchError(
                f"the feature index in {self.path} belongs to another version (it has {manifest.fingerprint[:12]}, in "
                f"use is {self.fingerprint[:12]}): run `dejafake index build` to replace it"
            )
        manifest.gone.check(self.path)
        parts = tuple(self._opened(entry) for entry in manifest.parts)
        return OpenedParts(name, manifest, parts, self._mapped(manifest.gone, "<i8"))

    def write(
        self,
        blocks: Iterable[PackedBlock],
        watermark: int,
        tombstone_watermark: int,
        pause: Callable[[], None] = lambda: None,
    ) -> str:
        """Make an index of these images alone current; what was there is removed. Needs the lock.

        Returns:
            The name of the new manifest.

        Raises:
            UsageError: these are no packed features of this version; what was current stays so.
            VectorIndexError: it could not be written; what was current stays so.
        """
        with self.errors():
            self._sweep()
            entries, waiting, count = [], [], 0
            for block in blocks:
                pause()
                kept = [row for row, data in enumerate(block.packed) if data]
                if not kept:
                    continue
                waiting.append(part_of(block.ids[kept], [block.packed[row] for row in kept], codebook()))
                count += len(kept)
                if count >= IMAGES_OF_A_PART:
                    entries.append(self._written(merged(waiting, _NONE, codebook(), pause)))
                    waiting, count = [], 0
            if waiting:
                entries.append(self._written(merged(waiting, _NONE, codebook(), pause)))
            return self._made_current(entries, _NONE, watermark, tombstone_watermark)

    def save(
        self,
        opened: OpenedParts | None,
        recent: Sequence[Part],
        gone: Ids,
        watermark: int,
        tombstone_watermark: int,
        pause: Callable[[], None] = lambda: None,
    ) -> str:
        """Make what was opened and the recent parts current, without the images `gone`. Needs the lock.

        Only small parts and those with many deleted images are written anew.

        Raises:
            VectorIndexError: it could not be written; what was current stays so.
        """
        with self.errors():
            self._sweep()
            groups = _groups(opened, recent, gone)
            entries, remaining = [], []
            for entry, parts in groups:
                if entry is not None:
                    entries.append(entry)
                    remaining.append(gone[held(parts, gone)])
                else:
                    part = merged(parts, gone, codebook(), pause)
                    if len(part.images):
                        entries.append(self._written(part))
            left = np.unique(np.concatenate([_NONE, *remaining]))
            return self._made_current(entries, left, watermark, tombstone_watermark)

    def _made_current(self, entries: Sequence[PartEntry], gone: Ids, watermark: int, tombstone_watermark: int) -> str:
        with SealedFile(self.path / f"{secrets.token_hex(8)}.gone") as file:
            file.write(np.ascontiguousarray(gone, "<i8"))
        manifest = FeatureManifest(
            1, self.fingerprint, watermark, tombstone_watermark, tuple(entries), file.entry, ""
        ).sealed()
        name = f"{manifest.digest[:12]}-{secrets.token_hex(4)}"
        with SealedFile(self.path / f"{name}.json") as written:
            written.write(manifest.to_json().encode())
        fsync_folder(self.path)
        self.make_current(name)
        self._sweep()
        return name

    def _written(self, part: Part) -> PartEntry:
        name = secrets.token_hex(8)
        with SealedFile(self.path / f"{name}.images") as images:
            images.write(np.ascontiguousarray(part.images, IMAGE))
        with SealedFile(self.path / f"{name}.lists") as lists:
            faiss.write_index(part.index, faiss.PyCallbackIOWriter(lists.write, _WRITE_BYTES))
        head = _head(self.path / lists.entry.name, lists.entry.size - part.features * FEATURE_BYTES)
        return PartEntry(images.entry, lists.entry, part.features, head)

    def _opened(self, entry: PartEntry) -> Part:
        entry.images.check(self.path)
        entry.lists.check(self.path, size_only=True)
        path = self.path / entry.lists.name
        try:
            whole = _head(path, entry.lists.size - entry.features * FEATURE_BYTES) == entry.head
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC) if whole else None
        except (OSError, RuntimeError) as error:
            raise VectorIndexError(f"the feature index file {path} cannot be read: {error}") from error
        if index is None or index.ntotal != entry.features or index.nlist != LISTS:
            raise VectorIndexError(f"the feature index file {path} is damaged: its checksum differs")
        return Part(self._mapped(entry.images, IMAGE), index, sizes_of(index))

    def _mapped(self, entry: FileEntry, kind: npt.DTypeLike) -> npt.NDArray[Any]:
        return np.asarray(np.memmap(self.path / entry.name, kind, "r")) if entry.size else np.empty(0, kind)

    def _sweep(self) -> None:
        """Remove what the current manifest does not list. What cannot be removed now stays until the next time."""
        kept: set[str] = set()
        with contextlib.suppress(VectorIndexError):
            if name := self.current():
                kept = {f"{name}.json", *(e.name for e in FeatureManifest.read(self.path / f"{name}.json").files)}
        with contextlib.suppress(OSError):
            for entry in list(self.path.iterdir()):
                if entry.name not in kept and (_OURS.fullmatch(entry.name) or entry.name.startswith(BUILDING)):
                    entry.unlink()


_NONE: Final = np.empty(0, np.int64)


def _groups(
    opened: OpenedParts | None, recent: Sequence[Part], gone: Ids
) -> list[tuple[PartEntry | None, tuple[Part, ...]]]:
    """What is to be one part each: saved parts that stay, with their entry, and parts that are merged."""
    saved = zip(opened.manifest.parts, opened.parts, strict=True) if opened else ()
    groups: list[tuple[PartEntry | None, tuple[Part, ...]]] = []
    for entry, part in sorted(saved, key=lambda pair: -len(pair[1].images)):
        lost = int(np.count_nonzero(held((part,), gone)))
        groups.append((None if lost > _GONE_SHARE * len(part.images) else entry, (part,)))
    if recent:
        groups.append((None, tuple(recent)))
    while len(groups) > 1:
        size, last = (sum(len(part.images) for part in parts) for _, parts in groups[-2:])
        if size > _LIKE_SIZE * last or size + last > IMAGES_OF_A_PART:
            break
        groups[-2:] = [(None, groups[-2][1] + groups[-1][1])]
    return groups


def _head(path: Path, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.sha256(file.read(max(0, size))).hexdigest()
