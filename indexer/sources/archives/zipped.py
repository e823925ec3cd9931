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
from indexer.sources.items import Found, SourceRejection, SourceSkip, file_edition, printable, source_name
from indexer.sources.label_words import TABLE_ONLY, LabelWords

MAX_MEMBERS = 250_000
MAX_DIRECTORY = 64 * 2**20
"""Most members, and largest central directory in bytes: Python's zipfile keeps all of it in memory."""

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
    _words: LabelWords = TABLE_ONLY

    @classmethod
    def open(cls, path: Path, limits: ImageLimits, words: LabelWords = TABLE_ONLY) -> "ZipSource":
        """Reads the central directory.

        Raises:
            SourceError: not a zip archive, too many members, or no picture in it.
        """
        try:
            with path.open("rb") as file:
                check_directory(file, path.name)
            archive = zipfile.ZipFile(path)
            source = cls(
                source_name(path), archive, unpacked_budget(path), limits, file_edition(path) + words.mark, words
            )
        except (*_DAMAGE, NotImplementedError) as error:
            detail = printable(str(error))[:120]
            raise SourceError(f"{path.name} cannot be read as a zip archive ({detail}); fetch it again") from None
        first_picture(path, source)
        return source

    def __iter__(self) -> Iterator[Found]:
        members = self._archive.infolist()
        legacy, unpacked = legacy_encoding(raw for info in members if (raw := _raw_name(info)) is not None), 0
        for at, info in enumerate(members):
            raw = _raw_name(info)
            name = info.filename if raw is None else decoded(raw, legacy)
            member = MemberName(name)
            where = (self.name, member.location)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if name.endswith("/") or (name.endswith("\\") and not info.file_size) or kind == stat.S_IFDIR:
                yield member.skip(self.name, "folder")
            elif member.hidden:
                yield member.skip(self.name, "hidden")
            elif kind not in (0, stat.S_IFREG):
                yield not_a_file(*where)
            elif not (member.promises_picture or is_picture(self._head(info))):
                yield member.skip(self.name, self._why_passed_over(info))
            elif info.flag_bits & 0x1:
                yield SourceRejection(*where, "encrypted", "the member is encrypted; unpack it and pack it without")
            elif info.compress_type not in _METHODS:
                yield SourceRejection(*where, "unsupported", "packed by a method that is not read; use deflate")
            elif info.file_size > self._limits.max_bytes:
                yield too_large(*where, self._limits)
            elif (unpacked := unpacked + info.file_size) > self._budget:
                yield bomb(*where)
                yield from (SourceSkip(self.name, member.location, "not_read") for _ in members[at + 1 :])
                return
            else:
                read = partial(_read, self._archive, info, self._limits)
                yield member.item(self.name, read, self._words, self._edition)

    def _why_passed_over(self, info: zipfile.ZipInfo) -> str | None:
        if info.flag_bits & 0x1:
            return "encrypted"
        return None if info.file_size else "empty"

    def count(self) -> int:
        """Looks at all members' names."""
        return sum(1 for member in self if not isinstance(member, SourceSkip))

    def _head(self, info: zipfile.ZipInfo) -> bytes:
        if info.flag_bits & 0x1 or info.compress_type not in _METHODS:
            return b""
        try:
            with self._archive.open(info) as file:
                return file.read(SNIFFED_BYTES)
        except (*_DAMAGE, NotImplementedError):
            return b""


def _raw_name(info: zipfile.ZipInfo) -> bytes | None:
    """The bytes of a member's name, None if the archive gives its encoding: UTF-8, or a second Unicode name."""
    if info.flag_bits & 0x800 or not info.orig_filename.startswith(info.filename):
        return None
    return info.orig_filename.partition("\0")[0].encode("cp437")


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
