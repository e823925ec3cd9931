"""Multipart bodies read part by part, with limits on how many parts and how large; the errors are our own.

python-multipart finds the boundaries; what it says in words decides nothing. Large files go to disk while they come.
"""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Final

import anyio.to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

IN_MEMORY: Final = 1024 * 1024
"""Bytes of a file that are kept in memory; a larger one lies in a temporary file."""


class MalformedBodyError(Exception):
    """The body is not what its content type says."""


class TooManyPartsError(Exception):
    """There are more files or fields, or a field is larger, than is taken."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most files, most fields beside them, and most bytes of a field."""

    files: int
    fields: int
    field_bytes: int


@dataclass(slots=True)
class Part:
    """One part: the field's name; a file's name and content, or a field's text."""

    name: str
    file_name: str | None
    file: SpooledTemporaryFile[bytes] | None
    text: bytearray = field(default_factory=bytearray)
    size: int = 0


async def read_parts(content_type: str, body: AsyncIterator[bytes], limits: Limits, files: ExitStack) -> list[Part]:
    """The parts of a multipart body in their order.

    Args:
        content_type: the request's header, which names the boundary.
        body: the bytes as they come.
        limits: what is taken.
        files: closes the files.

    Raises:
        TooManyPartsError: a limit is passed.
        MalformedBodyError: it is no multipart body, or ends before its last boundary.
    """
    reading = _Reading(limits, files)
    try:
        parser = MultipartParser(_boundary(content_type), reading.callbacks())
        async for chunk in body:
            parser.write(chunk)
            await reading.write_files()
        parser.finalize()
    except FormParserError:
        raise MalformedBodyError("Invalid multipart data.") from None
    if not reading.ended:
        raise MalformedBodyError("The multipart body ends before its last boundary.")
    for part in reading.parts:
        if part.file is not None:
            part.file.seek(0)
    return reading.parts


def _boundary(content_type: str) -> bytes:
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary:
        raise MalformedBodyError("The content type names no boundary.")
    return boundary


class _Reading:
    """What the parser calls while it finds parts."""

    def __init__(self, limits: Limits, files: ExitStack) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._limits = limits
        self._opened = files
        self._name = b""
        self._value = b""
        self._disposition: bytes | None = None
        self._left = {"files": limits.files, "fields": limits.fields}
        self._unwritten: list[tuple[SpooledTemporaryFile[bytes], bytes]] = []

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_end": self._all_ends,
        }

    async def write_files(self) -> None:
        """Writes what came for files; in a thread where that may mean the disk."""
        waiting, self._unwritten = self._unwritten, []
        if waiting:
            await anyio.to_thread.run_sync(_written, waiting)

    def _part_begins(self) -> None:
        self._disposition = None

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _headers_end(self) -> None:
        options = parse_options_header(self._disposition)[1]
        if b"name" not in options:
            raise MalformedBodyError("A part of the multipart body has no name.")
        file_name = options.get(b"filename")
        self._count("fields" if file_name is None else "files")
        file = None
        if file_name is not None:
            file = self._opened.enter_context(SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115
        self.parts.append(Part(_text(options[b"name"]), None if file_name is None else _text(file_name), file))

    def _count(self, kind: str) -> None:
        if self._left[kind] == 0:
            most = self._limits.files if kind == "files" else self._limits.fields
            raise TooManyPartsError(f"This address takes at most {most} {kind}.")
        self._left[kind] -= 1

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self.parts[-1]
        part.size += end - start
        if part.file is not None:
            self._unwritten.append((part.file, data[start:end]))
            return
        if part.size > self._limits.field_bytes:
            raise TooManyPartsError(f"A form field has at most {self._limits.field_bytes} bytes.")
        part.text += data[start:end]

    def _all_ends(self) -> None:
        self.ended = True


def _written(waiting: list[tuple[SpooledTemporaryFile[bytes], bytes]]) -> None:
    for file, data in waiting:
        file.write(data)


def _text(raw: bytes) -> str:
    """UTF-8, as browsers send; else every byte as the letter of its number."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def text_of(part: Part) -> str:
    """A field's text."""
    return _text(bytes(part.text))
