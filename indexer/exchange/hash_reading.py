"""Reads the formats of hash lists: bare lines, `pdq HASH`, sha256sum output, tables, JSON and JSON Lines.

Nothing is stored here. A line that is not understood is reported; the others are read.
"""

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, BinaryIO, Final

from indexer.errors import SourceError, UsageError
from indexer.exchange.hash_notation import (
    HASH_NAMES,
    OTHERS,
    WORDS,
    ReadHash,
    header_of,
    is_text,
    name_of,
    of_cells,
    of_line,
    of_names,
    unused,
)
from indexer.vocabulary import HashAlgorithm

MAX_LINE: Final = 65_536
"""Longest line, in characters."""
MAX_DOCUMENT: Final = 16 * 2**20
"""Longest JSON document, in characters: it is read whole and takes many times its size in memory."""
MAX_DEPTH: Final = 20
_PIECE: Final = 64 * 1024
_NO_TEXT: Final = (
    *(
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0",
        b"%PDF",
        b"{\\rtf",
        b"SQLite format 3\0",
        b"\x1f\x8b",
        b"7z\xbc\xaf",
        b"Rar!",
    ),
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"\0"),
)
"""The first bytes of spreadsheets, bundles, documents, databases, archives, pictures and videos."""
_COMMENTS = ("#", ";", "//")
_LISTS: Final = ("hashes", "values", "signals", "indicators", "hashlist")
"""Keys under which JSON holds a list of bare hashes, besides the names of hash kinds."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line or an entry of a JSON document was rejected; the message names it."""

    message: str


def read_hashes(stream: BinaryIO, bare: HashAlgorithm | None) -> Iterator[ReadHash | Problem]:
    """The hashes of a text in any format of hash lists, and a problem for each line without one.

    Args:
        stream: UTF-8 or UTF-16; read piece by piece.
        bare: the kind of hashes whose kind the text does not give; None makes each of them a problem.

    Raises:
        SourceError: not text, or a JSON document that is too long to be read whole.
    """
    pieces = _decoded(stream)
    begun = ""
    while not begun.strip() and (piece := next(pieces, "")):
        begun = begun[-MAX_LINE:] + piece
    is_json = begun.lstrip().startswith(("{", "["))
    lines = enumerate(_lines(chain((begun,), pieces), MAX_DOCUMENT if is_json else MAX_LINE), start=1)
    if not is_json:
        yield from _of_table(lines, bare)
        return
    first = next((number, line) for number, line in lines if line.strip())
    rest = chain((first,), lines)
    if _is_object(first[1]):
        yield from _of_json_lines(rest, bare)
    else:
        yield from _of_document(rest, bare)


def _decoded(stream: BinaryIO) -> Iterator[str]:
    """The text in pieces, with all line ends as line feeds."""
    piece = stream.read(_PIECE)
    encoding = _encoding(piece)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)("replace"), translate=True)
    while piece:
        if text := decoder.decode(piece):
            yield text
        piece = stream.read(_PIECE)
    if text := decoder.decode(b"", final=True):
        yield text


def _encoding(head: bytes) -> str:
    """The codec of a text with these first bytes: by its byte order mark, else by its zero bytes.

    Raises:
        SourceError: it is not text.
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) >= 4 and head[1] == head[3] == 0 != head[0]:
        return "utf-16-le"
    if len(head) >= 4 and head[0] == head[2] == 0 != head[1]:
        return "utf-16-be"
    if head.startswith(_NO_TEXT):
        raise SourceError("it is no list of hashes but a file of another kind: save the hashes as text, CSV or JSON")
    return "utf-8-sig"


def _lines(pieces: Iterable[str], longest: int) -> Iterator[str]:
    """Lines without their ends; a line longer than `longest` is cut just above that length."""
    left = ""
    for piece in pieces:
        *whole, left = (left + piece).split("\n")
        yield from whole
        left = left[: longest + 1]
    if left:
        yield left


def _of_table(lines: Iterable[tuple[int, str]], bare: HashAlgorithm | None) -> Iterator[ReadHash | Problem]:
    header: Sequence[str] = ()
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith(_COMMENTS):
            continue
        try:
            if len(text) > MAX_LINE:
                raise UsageError(f"longer than {MAX_LINE:,} characters")
            cells = _cells(text)
            named = header_of(cells)
            if named:
                header = named
                continue
            hashes = of_cells(cells, header, bare) or of_line(text, cells, bare)
            yield from (replace(entry, where=f"line {number}") for entry in hashes)
        except UsageError as error:
            yield Problem(f"line {number}: {error}")


def _cells(text: str) -> list[str]:
    """The cells of a line: between tabs, else semicolons, else commas; quotes are taken off."""
    delimiter = next((mark for mark in "\t;" if mark in text), ",")
    try:
        cells = next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        cells = text.split(delimiter)
    return [cell.strip().strip("'\"").strip() for cell in cells]


def _is_object(line: str) -> bool:
    """Whether a line is a whole JSON object by itself: then others follow line by line."""
    try:
        return isinstance(_parsed(line), dict)
    except ValueError:
        return False


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _of_json_lines(lines: Iterable[tuple[int, str]], bare: HashAlgorithm | None) -> Iterator[ReadHash | Problem]:
    for number, line in lines:
        if not line.strip():
            continue
        if len(line) > MAX_DOCUMENT:
            yield Problem(f"line {number}: longer than {MAX_DOCUMENT:,} characters")
            continue
        try:
            value = _parsed(line)
        except ValueError as error:
            yield Problem(f"line {number}: not JSON ({error})")
            continue
        yield from _of_value(value, bare, f"line {number}")


def _of_document(lines: Iterable[tuple[int, str]], bare: HashAlgorithm | None) -> Iterator[ReadHash | Problem]:
    parts: list[str] = []
    length = 0
    for _, line in lines:
        parts.append(line)
        length += len(line) + 1
        if length > MAX_DOCUMENT:
            raise SourceError(
                f"a JSON list longer than {MAX_DOCUMENT // 2**20} MiB is not read: write one object a line (JSON Lines)"
            )
    try:
        value = _parsed("\n".join(parts))
    except ValueError as error:
        yield Problem(f"not JSON: {error}")
        return
    yield from _of_value(value, bare, None)


def _of_value(value: Any, bare: HashAlgorithm | None, where: str | None) -> Iterator[ReadHash | Problem]:
    """The hashes inside a JSON value, in document order; `where` names its line."""
    entries = 0
    for entry, kind in _entries(value):
        entries += 1
        location = where or f"entry {entries}"
        try:
            yield from (replace(listed, where=location) for listed in _of_entry(entry, kind, bare))
        except UsageError as error:
            yield Problem(f"{location}: {error}")
    if not entries:
        yield Problem(f"{where or 'the document'}: no hash in it")


def _entries(value: Any) -> Iterator[tuple[str | Mapping[str, Any], str | None]]:
    """The objects that name a hash, at any depth, and the strings in lists of hashes with the kind that the list's key
    names, if any."""
    pending: list[tuple[Any, int, str | None]] = [(value, 0, "hashes")]
    while pending:
        node, depth, name = pending.pop()
        if isinstance(node, str) and name is not None:
            yield node, name if name in WORDS else None
        elif depth > MAX_DEPTH:
            continue
        elif isinstance(node, list):
            pending.extend((inner, depth + 1, name) for inner in reversed(node))
        elif isinstance(node, dict):
            if _says_a_hash(node):
                yield node, None
            named = [(name_of(key), inner) for key, inner in reversed(node.items()) if isinstance(inner, (dict, list))]
            pending.extend((inner, depth + 1, key if key in (*_LISTS, *WORDS) else None) for key, inner in named)


def _says_a_hash(value: Mapping[str, Any]) -> bool:
    names = {name_of(name): said for name, said in value.items()}
    return any(is_text(names.get(name)) for name in (*HASH_NAMES, *WORDS, *OTHERS))


def _of_entry(entry: str | Mapping[str, Any], kind: str | None, bare: HashAlgorithm | None) -> list[ReadHash]:
    if isinstance(entry, str):
        return of_line(entry.strip(), [entry.strip()], WORDS.get(kind or "", bare))
    said = {name_of(name): content for name, content in reversed(list(entry.items()))}
    if said.get("shoulddelete") is True:
        raise UsageError("its keeper took it back")
    hashes = of_names(said, bare)
    if not hashes:
        raise UsageError(unused(next(name for name in said if name in OTHERS)))
    return hashes
