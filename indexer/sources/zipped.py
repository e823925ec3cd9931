"""Zip archives: members read one at a time into memory."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from indexer.errors import ImageRejectedError, SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources.items import SourceItem, SourceRejection, file_edition, printable, source_name
from indexer.sources.members import SNIFFED_BYTES, MemberName, bomb, is_picture, not_a_file, too_large, unpacked_budget

MAX_MEMBERS = 250_000
MAX_DIRECTORY = 64 * 2**20
"""Most members and largest central directory: Python's zipfile keeps all of it in memory."""

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, struct.error, MemoryError)


@dataclass(frozen=True, slots=True)
class ZipSource:
    """The pictures in a zip archive, in its own order; folders in it are read as in a folder tree.

    The archive stays open as long as the source or an item of it lives; items may be read from several threads.
    """

    name: str
    _archive: zipfile.ZipFile
    _budget: int
    _limits: ImageLimits
    _edition: str

    @classmethod
    def open(cls, path: Path, limits: ImageLimits) -> "ZipSource":
        """Reads the central directory.

        Raises:
            SourceError: not a zip archive, too many members, or no picture in it.
        """
        try:
            with path.open("rb") as file:
                check_directory(file, path.name)
            archive = zipfile.ZipFile(path)
            source = cls(source_name(path), archive, unpacked_budget(path), limits, file_edition(path))
        except (*_DAMAGE, NotImplementedError) as error:
            detail = printable(str(error))[:120]
            raise SourceError(f"{path.name} cannot be read as a zip archive ({detail}); fetch it again") from None
        if next(iter(source), None) is None:
            raise SourceError(f"{path.name} holds no pictures; give an archive that does")
        return source

    def __iter__(self) -> Iterator[SourceItem | SourceRejection]:
        unpacked = 0
        for info in self._archive.infolist():
            member = MemberName(info.filename)
            if info.filename.endswith("/") or member.hidden:
                continue
            where = (self.name, member.location)
            if stat.S_ISLNK(info.external_attr >> 16):
                yield not_a_file(*where)
                continue
            if not (member.promises_picture or is_picture(self._head(info))):
                continue
            if info.flag_bits & 0x1:
                yield SourceRejection(*where, "encrypted", "the member is encrypted; unpack it and pack it without")
            elif info.compress_type not in _METHODS:
                yield SourceRejection(*where, "unsupported", "packed by a method that is not read; use deflate")
            elif info.file_size > self._limits.max_bytes:
                yield too_large(*where, self._limits)
            elif (unpacked := unpacked + info.file_size) > self._budget:
                yield bomb(*where)
                return
            else:
                value, generator = member.label()
                read = partial(_read, self._archive, info, self._limits)
                yield SourceItem(*where, read=read, value=value, generator=generator, edition=self._edition)

    def count(self) -> int:
        """Looks at all members' names."""
        return sum(1 for _ in self)

    def _head(self, info: zipfile.ZipInfo) -> bytes:
        if info.flag_bits & 0x1 or info.compress_type not in _METHODS:
            return b""
        try:
            with self._archive.open(info) as file:
                return file.read(SNIFFED_BYTES)
        except (*_DAMAGE, NotImplementedError):
            return b""


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: ImageLimits) -> bytes:
    """One member's bytes; zipfile never gives more than the size it declares. Raises ImageRejectedError."""
    try:
        with archive.open(info) as file:
            data = file.read(limits.max_bytes + 1)
    except (*_DAMAGE, NotImplementedError) as error:
        detail = printable(str(error))[:120]
        raise ImageRejectedError("unreadable", f"the member is damaged ({detail}); fetch the archive again") from None
    limits.check_bytes(len(data))
    return data


def check_directory(file: IO[bytes], name: str) -> None:
    """Looks at the end records before zipfile loads the whole directory (APPNOTE.TXT 4.3.14 to 4.3.16).

    Raises:
        SourceError: more members, or a larger directory, than are read.
    """
    file.seek(0, 2)
    length = file.tell()
    start = max(0, length - 65_557)
    file.seek(start)
    tail = file.read()
    for at in {len(tail) - 22, tail.rfind(b"PK\x05\x06")}:
        if at < 0 or tail[at : at + 4] != b"PK\x05\x06" or at + 22 > len(tail):
            continue
        members, size = struct.unpack_from("<HI", tail, at + 10)
        if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
            file.seek(min(struct.unpack_from("<Q", tail, at - 12)[0], length))
            record = file.read(56)
            if record[:4] == b"PK\x06\x06" and len(record) == 56:
                members, size = struct.unpack_from("<QQ", record, 32)
        if members > MAX_MEMBERS or size > MAX_DIRECTORY:
            raise SourceError(f"{name} has more than {MAX_MEMBERS:,} members; unpack it and ingest the folder")
