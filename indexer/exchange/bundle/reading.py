"""Reads a bundle as hostile input: nothing is unpacked to disk, every size is bounded, every digest compared."""

import base64
import binascii
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load

from indexer.errors import SourceError, UsageError
from indexer.exchange.bundle.for_copies import ForCopies
from indexer.exchange.bundle.layout import (
    MANIFEST,
    MAX_MANIFEST,
    VECTORS,
    BundledImage,
    BundledThumbnail,
    Manifest,
    Member,
)
from indexer.sources.archives.members import unpacked_budget
from indexer.sources.archives.zipped import check_directory
from indexer.sources.items import printable
from indexer.vocabulary import EMBEDDING_SIZE

M = TypeVar("M", bound=BaseModel)
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    NotImplementedError,
    MemoryError,
)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some images of a bundle. `vectors` [N, 384] float32, L2-normalised, belong to the images with a `detection`, in
    the same order; `copies` is what copies of the images are found by; `thumbnails` maps SHA-256 to bytes that claim to
    be small JPEGs."""

    images: tuple[BundledImage, ...]
    vectors: npt.NDArray[np.float32]
    copies: ForCopies
    thumbnails: dict[str, bytes]


class Bundle:
    """An open bundle.

    Attributes:
        manifest: what it says it holds.
        digest: SHA-256 of the manifest, which names the bundle.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str, budget: int) -> None:
        self._archive = archive
        self._name = name
        self._infos = {info.filename: info for info in archive.infolist()}
        if len(self._infos) != len(archive.infolist()):
            raise self._refused("two members have one name")
        if MANIFEST not in self._infos:
            raise SourceError(
                f"{name} is no bundle: it has no {MANIFEST}. `dejafake import` takes what `dejafake export --bundle` "
                "wrote; archives of pictures go to `dejafake ingest`"
            )
        data = self._read(MANIFEST, MAX_MANIFEST)
        self.digest = hashlib.sha256(data).hexdigest()
        self.manifest = self._parsed(Manifest, data, MANIFEST)
        self._members = {member.name: member for member in self.manifest.members}
        if set(self._members) | {MANIFEST} != set(self._infos) or len(self._members) != len(self.manifest.members):
            raise self._refused("its members are not those its manifest lists")
        if sum(member.bytes for member in self.manifest.members) > budget:
            raise self._refused("it unpacks to more than a hundred times its size")

    def parts(self) -> Iterator[Part]:
        """All parts in their order, each compared with its digests and checked as it comes.

        Raises:
            SourceError: a part is damaged or was changed; says which.
        """
        count = 0
        for number in range(sum(name.startswith("images/") for name in self._members)):
            part = self._part(f"{number:05d}")
            count += len(part.images)
            yield part
        if count != self.manifest.images:
            raise self._refused(f"it holds {count} images, not the {self.manifest.images} of its manifest")

    def verify(self) -> None:
        """Read everything once.

        Raises:
            SourceError: a part is damaged or was changed; says which.
        """
        for _ in self.parts():
            pass

    def _part(self, number: str) -> Part:
        name = f"images/{number}.jsonl"
        if name not in self._members:
            raise self._refused("its parts are not numbered in order")
        images = tuple(self._lines(BundledImage, name))
        name = f"embeddings/{number}.safetensors"
        tensors = self._tensors(name)
        vectors = self._vectors(name, tensors, sum(image.detection is not None for image in images))
        try:
            copies = ForCopies.read(tensors, [image.sha256 for image in images])
        except ValueError as error:
            raise self._refused(f"{name} holds {error}") from None
        return Part(images, vectors, copies, dict(self._thumbnails(f"thumbnails/{number}.jsonl")))

    def _tensors(self, name: str) -> dict[str, npt.NDArray[Any]]:
        if name not in self._members:
            return {VECTORS: np.empty((0, EMBEDDING_SIZE), np.float32)}
        try:
            return load(self._checked(name))
        except (SafetensorError, ValueError, TypeError, KeyError) as error:
            raise self._refused(f"{name} is no safetensors file ({printable(str(error))[:120]})") from None

    def _vectors(self, name: str, tensors: dict[str, npt.NDArray[Any]], count: int) -> npt.NDArray[np.float32]:
        vectors = tensors.get(VECTORS, np.empty(0))
        if vectors.dtype != np.float32 or vectors.shape != (count, EMBEDDING_SIZE):
            raise self._refused(f"{name} does not hold the {count} embeddings of its images")
        if not (abs(np.linalg.norm(vectors.astype(np.float64), axis=1) - 1) < 1e-2).all():
            raise self._refused(f"{name} holds embeddings that are not finite and of length 1")
        return vectors

    def _thumbnails(self, name: str) -> Iterator[tuple[str, bytes]]:
        if name not in self._members:
            return
        for small in self._lines(BundledThumbnail, name):
            try:
                yield small.sha256, base64.b64decode(small.jpeg, validate=True)
            except binascii.Error:
                raise self._refused(f"a thumbnail in {name} is no base64") from None

    def _lines(self, model: type[M], name: str) -> Iterator[M]:
        for number, line in enumerate(self._checked(name).splitlines(), start=1):
            yield self._parsed(model, line, f"{name} line {number}")

    def _parsed(self, model: type[M], data: bytes, where: str) -> M:
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise self._refused(f"{where}: {printable(field)} {printable(first['msg'])}") from None
        except UsageError as error:
            raise self._refused(f"{where}: {error}") from None

    def _checked(self, name: str) -> bytes:
        """A member's bytes, after they were checked against the manifest."""
        member: Member = self._members[name]
        data = self._read(name, member.bytes)
        if len(data) != member.bytes or hashlib.sha256(data).hexdigest() != member.sha256:
            raise self._refused(f"{name} is not what the manifest says: it was damaged or changed")
        return data

    def _read(self, name: str, most: int) -> bytes:
        info = self._infos[name]
        if info.file_size > most:
            raise self._refused(f"{name} is larger than it may be")
        try:
            with self._archive.open(info) as file:
                return file.read(most + 1)
        except _DAMAGE as error:
            raise self._refused(f"{name} cannot be unpacked ({printable(str(error))[:120]})") from None

    def _refused(self, why: str) -> SourceError:
        return SourceError(f"{self._name} is no sound bundle: {why[:300]}; ask for it again")


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Opens a bundle and reads its manifest.

    Raises:
        SourceError: it cannot be read, or is no bundle.
    """
    name = printable(path.name)
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise SourceError(
                    f"{name} cannot be read as a bundle: `dejafake import` takes what `dejafake export --bundle` "
                    "wrote; pictures and tables go to `dejafake ingest`, lists of hashes to `dejafake hashes import`"
                )
            check_directory(file, name)
        budget = unpacked_budget(path)
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        detail = printable(str(getattr(error, "strerror", None) or error))[:120]
        raise SourceError(f"{name} cannot be read as a bundle ({detail}); ask for it again") from None
    with archive:
        yield Bundle(archive, name, budget)
