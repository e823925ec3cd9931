"""How a hash is written: its digits, and the words and columns that tell its kind and quality."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from indexer.errors import UsageError
from indexer.sources.items import printable
from indexer.vocabulary import HashAlgorithm

_HEX = re.compile(r"(?:0x)?([0-9a-f]{64})", re.IGNORECASE)
_SHORT_HEX = re.compile(r"(?:0x)?([1-9a-f][0-9a-f]{59,62})", re.IGNORECASE)
"""60 to 63 digits of which the first is not 0: a PDQ hash whose leading zeros were dropped because it was written as a
number. A shortened SHA-256 is not accepted: no tool writes one as a number, so it was truncated."""
_HEX_RUN = re.compile(r"[0-9a-f]{16}", re.IGNORECASE)
_TAGGED = re.compile(r"(SHA-?256|PDQ) \(.*\) ?= ?([0-9a-f]{60,64})", re.IGNORECASE)
"""What `sha256sum --tag` prints."""
WORDS: Final[Mapping[str, HashAlgorithm]] = {
    **dict.fromkeys(("pdq", "pdqhash", "hashpdq", "imagepdq", "pdqhex"), HashAlgorithm.PDQ),
    **dict.fromkeys(("sha256", "sha2256", "sha256sum", "hashsha256", "sha256hash"), HashAlgorithm.SHA256),
}
OTHERS: Final = frozenset(
    ("md5", "hashmd5", "sha1", "hashsha1", "sha512", "photodna", "pdna", "tmk", "vpdq", "hashvideomd5", "videomd5")
)
"""Kinds of hashes and signals that occur in lists and cannot be searched for here."""
HASH_NAMES: Final = ("hash", "hashvalue", "signalvalue", "indicator", "value", "hex", "hashhex")
_KIND_NAMES: Final = ("algorithm", "type", "hashtype", "signaltype", "indicatortype", "hashalgorithm", "kind")
_QUALITY_NAMES: Final = ("quality", "pdqquality", "hashquality", "qualityscore")
_NOT_A_HASH: Final = "not a hash of 64 hexadecimal digits"


@dataclass(frozen=True, slots=True)
class ReadHash:
    """A hash of a list: its 32 bytes, its `quality` (0 to 100, None if the list gives none), and `where` it is, for
    messages."""

    algorithm: HashAlgorithm
    value: bytes
    quality: int | None = None
    where: str = ""


def name_of(text: str) -> str:
    """The name of a column or kind in lower case without punctuation, so that different spellings are equal."""
    return "".join(letter for letter in text[:100].lower() if letter.isalnum())


def header_of(cells: Sequence[str]) -> Sequence[str]:
    """The column names, if the line is a header: nothing looks like a hash, and one column is named for hashes."""
    if any(_HEX_RUN.search(cell) or "=" in cell for cell in cells):
        return ()
    names = [name_of(cell) for cell in cells]
    known = {*HASH_NAMES, *WORDS, *OTHERS}
    return names if any(name in known for name in names) else ()


def of_cells(cells: Sequence[str], header: Sequence[str], bare: HashAlgorithm | None) -> list[ReadHash]:
    """The hashes of a row under a header; empty if its columns hold none.

    Raises:
        UsageError: the value is of another kind, or its quality is invalid.
    """
    said: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=False):
        said.setdefault(name, cell)
    hashes = {cell for name, cell in said.items() if name in HASH_NAMES or name in WORDS}
    if not any(map(_looks_like_one, hashes)):
        other = next((name for name in said if name in OTHERS and said[name]), None)
        if other is not None and not any(hashes):
            raise UsageError(unused(other))
        return []
    return of_names(said, bare)


def of_line(text: str, cells: Sequence[str], bare: HashAlgorithm | None) -> list[ReadHash]:
    """The hash of a line without a header.

    Raises:
        UsageError: there is none, or several.
    """
    tagged = _TAGGED.fullmatch(text)
    if tagged is not None:
        return [_hash(tagged[2], tagged[1], bare)]
    pairs = [cell.partition("=") for cell in cells]
    if len(pairs) > 1 and all(mark for _, mark, _ in pairs):  # pdq-photo-hasher --details
        return of_names({name_of(name): value for name, _, value in reversed(pairs)}, bare)
    in_columns = any(map(_looks_like_one, cells))
    words = cells if in_columns else _words(text)
    at = next((position for position, word in enumerate(words) if _looks_like_one(word)), None)
    before = name_of(words[at - 1 if at else 0])
    if at is None or before in OTHERS:
        raise UsageError(unused(before) if before in OTHERS else f"{_NOT_A_HASH}: {printable(text[:40])}")
    behind = list(words[at + 1 : at + 3])
    kind = next((word for word in (before, *behind[:1]) if name_of(word) in WORDS), None)
    quality = next((word for word in behind if name_of(word) not in WORDS), None)
    if in_columns and not _is_quality(quality) and any(map(_looks_like_one, words[at + 1 :])):
        raise UsageError("several hashes in one line: name the columns in a line before them")
    return [_hash(words[at], kind, bare, quality if _is_quality(quality) else None)]


def _looks_like_one(cell: str) -> bool:
    return (_HEX.fullmatch(cell) or _SHORT_HEX.fullmatch(cell)) is not None


def _words(text: str) -> list[str]:
    """The words of a line. Only the first few count: sha256sum prints the file's name last."""
    return text.lstrip("\\").replace('"', " ").replace(":", " ", 1).replace(",", " ", 2).split(maxsplit=3) or [text]


def _is_quality(value: Any) -> bool:
    return value is not None and re.fullmatch(r"[0-9]{1,3}(\.0+)?", str(value)) is not None and float(value) <= 100


def _hash(value: str, kind: str | None, bare: HashAlgorithm | None, quality: Any = None) -> ReadHash:
    """
    Raises:
        UsageError: it is not a hash, or its kind is not given.
    """
    whole, short = _HEX.fullmatch(value.strip()), _SHORT_HEX.fullmatch(value.strip())
    name = "" if kind is None else name_of(kind)
    algorithm = WORDS.get(name)
    if name and algorithm is None:
        raise UsageError(unused(name))
    algorithm = algorithm or bare
    digits = whole or (short if algorithm is HashAlgorithm.PDQ else None)
    if digits is None:
        raise UsageError(f"{_NOT_A_HASH}: {printable(value[:40])}")
    if algorithm is None:
        raise UsageError("a bare hash could be PDQ or SHA-256: say which is the algorithm")
    told = None if quality is None or algorithm is not HashAlgorithm.PDQ else _quality(quality)
    return ReadHash(algorithm, bytes.fromhex(digits[1].zfill(64)), told)


def _quality(value: Any) -> int:
    if not _is_quality(value):
        raise UsageError(f"its quality is not a number from 0 to 100: {printable(str(value)[:40])}")
    return int(float(value))


def unused(kind: str) -> str:
    """The message for a hash of a kind that is not used."""
    return f"{printable(kind[:40])} is not compared here, only PDQ and SHA-256 are"


def of_names(said: Mapping[str, Any], bare: HashAlgorithm | None) -> list[ReadHash]:
    """The hashes of a row or object, by column name: each in a column named for its kind, or one in a column `hash`
    whose kind another column gives.

    Raises:
        UsageError: a column for hashes holds something else.
    """
    quality = next((said[name] for name in _QUALITY_NAMES if said.get(name) not in (None, "")), None)
    kind = next((said[name] for name in _KIND_NAMES if is_text(said.get(name))), None)
    value = next((said[name] for name in HASH_NAMES if is_text(said.get(name))), None)
    candidates: list[tuple[str, str | None]] = [
        (said[name], name) for name in said if name in WORDS and is_text(said[name])
    ]
    if value is not None and (not candidates or (_HEX.fullmatch(value) and (bare or kind))):
        candidates.append((value, kind))  # `value` or `hash` beside the named ones may be anything
    hashes: list[ReadHash] = []
    refused: list[UsageError] = []
    for digits, named in candidates:
        try:
            hashes.append(_hash(digits, named, bare, quality))
        except UsageError as error:
            refused.append(error)
    if refused and not hashes:
        raise refused[0]
    return hashes


def is_text(value: Any) -> bool:
    """Whether a value is text that says something."""
    return isinstance(value, str) and bool(value.strip())
