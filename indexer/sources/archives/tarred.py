"""Tar archives, also compressed: read once from front to back, members into memory."""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from indexer.errors import SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources.archives.member_names import decoded, legacy_encoding
from indexer.sources.archives.members import (
    SNIFFED_BYTES,
    MemberName,
    bomb,
    first_picture,
    is_picture,
    not_a_file,
    too_large,
    unpacked_budget,
)
from indexer.sources.items import Found, SourceRejection, file_edition, printable, source_name
from indexer.sources.label_words import TABLE_ONLY, LabelWords

MAX_MEMBERS = 2_000_000
MAX_XZ_MEMORY = 256 * 2**20
_HEADER_BYTES = 4 * 2**20
"""Most bytes the headers of one member may take. tarfile reads a declared header whole, however long."""

_DAMAGE = (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, OverflowError, MemoryError)


class _BombError(Exception):
    """The archive unpacked to more than allowed."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _StrictInfo(tarfile.TarInfo):
    """Headers that must be valid: tarfile itself takes a broken header for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_StrictInfo":
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):  # a block of zeros is the proper end
                raise
            raise tarfile.ReadError(f"broken header: {error}") from None


class _Metered(io.RawIOBase):
    """A stream that gives no more bytes than allowed."""

    def __init__(self, stream: _Readable, total: int) -> None:
        super().__init__()
        self._stream = stream
        self._total = total
        self._allowed = 0

    def allow(self, count: int) -> None:
        """Sets how many bytes may be read from now on."""
        self._allowed = count

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes. Raises _BombError."""
        data = self._stream.read(size)
        self._total -= len(data)
        self._allowed -= len(data)
        if self._total < 0 or self._allowed < 0:
            raise _BombError
        return data


class _XzStream:
    """Unpacks xz within `MAX_XZ_MEMORY`, which Python's LZMAFile cannot be told."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpacker = lzma.LZMADecompressor(memlimit=MAX_XZ_MEMORY)
        self._begun = False

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end. Raises EOFError, lzma.LZMAError."""
        while True:
            if self._unpacker.eof:
                packed = self._unpacker.unused_data or self._file.read(65_536)
                if not packed.strip(b"\0"):
                    return b""
                self._unpacker = lzma.LZMADecompressor(memlimit=MAX_XZ_MEMORY)
            else:
                packed = self._file.read(65_536) if self._unpacker.needs_input else b""
                if self._unpacker.needs_input and not packed:
                    raise EOFError("the archive ends early")
            data = self._unpacker.decompress(packed, size)
            if data:
                return data


def _plain(file: IO[bytes]) -> _Readable:
    return file


def _gzip(file: IO[bytes]) -> _Readable:
    return gzip.GzipFile(fileobj=file, mode="rb")


def _bzip2(file: IO[bytes]) -> _Readable:
    return bz2.BZ2File(file)


TAR_ENDINGS: Mapping[str, Callable[[IO[bytes]], _Readable]] = {
    ".tar": _plain,
    ".tar.gz": _gzip,
    ".tgz": _gzip,
    ".tar.bz2": _bzip2,
    ".tbz2": _bzip2,
    ".tar.xz": _XzStream,
    ".txz": _XzStream,
}
"""The usual decompression of each ending."""
_MAGIC: Mapping[bytes, Callable[[IO[bytes]], _Readable]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": _bzip2,
    b"\xfd7zXZ\0": _XzStream,
}


@dataclass(frozen=True, slots=True)
class TarSource:
    """The pictures in a tar archive, in its own order; folders in it are read as in a folder tree.

    Every item holds its bytes, so collecting items keeps all their pictures in memory.
    """

    name: str
    _path: Path
    _limits: ImageLimits
    _words: LabelWords = TABLE_ONLY

    @classmethod
    def open(cls, path: Path, limits: ImageLimits, words: LabelWords = TABLE_ONLY) -> "TarSource":
        """Reads up to the first picture.

        Raises:
            SourceError: not such an archive, or no picture in it.
        """
        source = cls(source_name(path), path, limits, words)
        first = first_picture(path, source)
        if isinstance(first, SourceRejection) and first.reason == "damaged_archive":
            raise SourceError(f"{path.name}: {first.message}")
        return source

    def __iter__(self) -> Iterator[Found]:
        location = printable(self._path.name)
        try:
            with self._path.open("rb") as file:
                stream = _Metered(self._unpacked(file), unpacked_budget(self._path))
                stream.allow(_HEADER_BYTES)
                with tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictInfo) as archive:
                    for member in _members(archive, stream):
                        location = _member_name(member).location
                        yield self._member(archive, member)
        except _TooManyError:
            message = f"the archive has more than {MAX_MEMBERS:,} members; the rest is not read: split it"
            yield SourceRejection(self.name, location, "too_many_members", message)
        except _BombError:
            yield bomb(self.name, location)
        except _DAMAGE as error:
            detail = printable(" ".join(str(error).split()))[:120] or type(error).__name__
            message = f"the archive is damaged after this ({detail}); what follows is lost: fetch it again"
            yield SourceRejection(self.name, location, "damaged_archive", message)

    def count(self) -> None:
        """Unknown without reading the whole archive."""
        return

    def _unpacked(self, file: IO[bytes]) -> _Readable:
        """Decompress according to the first bytes, because names are often wrong."""
        head = file.read(6)
        file.seek(0)
        return next((unpack for magic, unpack in _MAGIC.items() if head.startswith(magic)), _plain)(file)

    def _member(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> Found:
        member = _member_name(info)
        if info.isdir() or member.hidden:
            return member.skip(self.name, "folder" if info.isdir() else "hidden")
        if not info.isreg() or info.sparse is not None:
            return not_a_file(self.name, member.location)
        if info.size > self._limits.max_bytes:
            too_much = too_large(self.name, member.location, self._limits)
            return too_much if member.promises_picture else member.skip(self.name)
        file = archive.extractfile(info)
        head = b"" if file is None else file.read(SNIFFED_BYTES)
        if file is None or not (member.promises_picture or is_picture(head)):
            return member.skip(self.name, None if info.size else "empty")
        data = head + file.read(info.size - len(head))
        if len(data) != info.size:
            raise tarfile.ReadError("the archive ends early")
        return member.item(self.name, lambda: data, self._words, file_edition(self._path) + self._words.mark)


class _TooManyError(Exception):
    """The archive has more members than are read."""


def _member_name(info: tarfile.TarInfo) -> MemberName:
    raw = info.name.encode("utf-8", "surrogateescape")
    return MemberName(decoded(raw, legacy_encoding([raw])))


def _members(archive: tarfile.TarFile, stream: _Metered) -> Iterator[tarfile.TarInfo]:
    """Members one by one; tarfile's list of them is emptied to save memory."""
    for _ in range(MAX_MEMBERS):
        info = archive.next()
        if info is None:
            return
        archive.members = []  # type: ignore[attr-defined]
        stream.allow(max(0, info.size) + _HEADER_BYTES)
        yield info
    raise _TooManyError
