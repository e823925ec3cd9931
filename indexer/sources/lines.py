"""The lines of an external text file, with a length limit enforced while reading, in the encodings that spreadsheets
write. Does not interpret the lines.
"""

import codecs
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from indexer.errors import SourceError

MAX_LINE = 16 * 2**20
"""Longest line, in characters; a longer one is skipped."""
_CHUNK = 2**16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its end, verbatim; empty if `too_long`."""

    text: str
    too_long: bool = False


def encoding_of(path: Path) -> str:
    """The codec of a text file: what its byte order mark says (such a codec also writes one), UTF-16 without a mark by
    its zeros, or else UTF-8.

    Raises:
        SourceError: the file cannot be read.
    """
    with _opened(path) as file:
        head = file.read(4)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if len(head) == 4 and head[1] == head[3] == 0 != head[0]:
        return "utf-16-le"
    return "utf-16-be" if len(head) == 4 and head[0] == head[2] == 0 != head[1] else "utf-8"


def lines_of(path: Path) -> Generator[Line]:
    """The lines of a text file. They end as the first one does: in a line feed, or in a bare carriage return as old
    Macs wrote it.

    Raises:
        SourceError: the file cannot be read or decoded.
    """
    encoding, number = encoding_of(path), 0
    try:
        for line in _lines(_pieces(path, encoding)):
            number += 1
            yield line
    except UnicodeDecodeError:
        said = encoding.removesuffix("-sig").upper()
        raise SourceError(f"{path.name} is not {said} at line {number + 1}; save it as UTF-8") from None


def _pieces(path: Path, encoding: str) -> Iterator[str]:
    """The text in pieces. Raises UnicodeDecodeError, after the text before it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with _opened(path) as file:
        while True:
            data = file.read(_CHUNK)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                yield error.object[: error.start].decode(error.encoding)
                raise
            if text:
                yield text
            if not data:
                return


def _lines(pieces: Iterable[str]) -> Iterator[Line]:
    waiting, end, cut = "", "", False
    for piece in pieces:
        waiting += piece
        end = end or _line_end(waiting)
        if not end and len(waiting) > _CHUNK:  # the end of the first line has not been found yet
            end = "\n"
        if end:
            *whole, waiting = waiting.split(end)
            for body in whole:
                yield Line("", True) if cut or len(body) > MAX_LINE else Line(body + end)
                cut = False
        if len(waiting) > MAX_LINE:
            waiting, cut = "", True
    if cut:
        yield Line("", True)
    elif waiting:
        mark = end or ("\n" if "\n" in waiting else "\r")
        yield from (Line(text) for text in re.findall(f"[^{mark}]*{mark}|[^{mark}]+", waiting))


def _line_end(text: str) -> str:
    """The line end of the first line, outside quoted cells; empty if it is not known yet."""
    at = 0
    while True:
        positions = [position for mark in "\n\r" if (position := text.find(mark, at)) >= 0]
        if not positions or min(positions) == len(text) - 1:
            return ""
        position = min(positions)
        if text.count('"', 0, position) % 2 == 0:
            return "\r" if text[position] == "\r" and text[position + 1] != "\n" else "\n"
        at = position + 1


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read ({error.strerror}); check the path and permissions") from None
