"""Hash lists as text, one hash a line: ThreatExchange's `pdq <64 hex>` lines, and lists of SHA-256."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, BinaryIO

from sqlalchemy import select

from indexer.catalog import Catalog, hash_lists, images
from indexer.catalog.portable import one_of
from indexer.catalog.records import ImageFilter
from indexer.catalog.tables import ImageRow
from indexer.errors import UsageError
from indexer.sources.items import printable
from indexer.vocabulary import HashAlgorithm, LabelValue

MAX_LINE = 4_096
MOST_PROBLEMS = 20
"""Malformed lines that are described; the others are counted."""
_AT_ONCE = 5_000
_COMMENTS = (b"#", b";", b"//")
_LINE = re.compile(r"(?:(?P<algorithm>pdq|sha-?256)[\s:,]+)?(?P<value>[0-9a-f]{64})(?:\s.*)?", re.IGNORECASE)
"""What follows a hash after a blank is not read: sha256sum puts the file's name there."""


@dataclass(frozen=True, slots=True)
class ListImport:
    """What an import did: hashes `added` and already `known` in that list (or repeated), `malformed` lines, and the
    first of those described in `problems`."""

    added: int
    known: int
    malformed: int
    problems: tuple[str, ...]


def import_hashes(
    catalog: Catalog,
    lines: BinaryIO,
    source: str,
    *,
    algorithm: HashAlgorithm | None = None,
    label: LabelValue = LabelValue.FAKE,
    observe: Callable[[int], None] = lambda _: None,
) -> ListImport:
    """Put the hashes of a text into the list `source`. Importing it again adds what is new and repeats nothing.

    Lines are `pdq <hash>`, `sha256 <hash>` or a bare hash of 64 hexadecimal digits; empty lines and those that begin
    with `#`, `;` or `//` say nothing. A malformed line is counted and stops nothing; no list is made for none but such.

    Args:
        lines: the text; read line by line, in flat memory.
        algorithm: of bare hashes. The two cannot be told apart, so None makes every bare hash malformed.
        label: what the list says all of its images are.
        observe: told how many lines were just done.

    Raises:
        ConflictError: the list is there with another label.
        UsageError: the name is empty or too long.
    """
    added = known = malformed = 0
    problems: list[str] = []
    read = _read(lines, algorithm)
    while some := list(islice(read, _AT_ONCE)):
        hashes = [one for one in some if isinstance(one, tuple)]
        wrong = [one for one in some if isinstance(one, str)]
        new = 0
        if hashes:
            with catalog.writing() as session:
                new = hash_lists.add(session, source, label, hashes)
        added, known, malformed = added + new, known + len(hashes) - new, malformed + len(wrong)
        problems += wrong[: MOST_PROBLEMS - len(problems)]
        observe(len(some))
    return ListImport(added, known, malformed, tuple(problems))


def export_hashes(
    catalog: Catalog, wanted: ImageFilter, algorithm: HashAlgorithm, stream: IO[str], *, min_quality: int
) -> int:
    """Write the hashes of the images that meet a filter, each once and sorted: `pdq <hash>` lines, which
    ThreatExchange's tools read, or bare SHA-256. PDQ hashes of a quality below `min_quality` (0 to 100) are left out:
    pictures of too little structure would match each other. Hashes of other people's lists are theirs to share.

    Returns:
        How many were written.
    """
    values: set[bytes] = set()
    with catalog.reading() as session:
        ids = images.matching_ids(session, wanted)
        for start in range(0, len(ids), _AT_ONCE):
            columns = select(ImageRow.sha256, ImageRow.pdq, ImageRow.pdq_quality)
            for row in session.execute(columns.where(one_of(ImageRow.id, ids[start : start + _AT_ONCE].tolist()))):
                if algorithm is HashAlgorithm.SHA256:
                    values.add(bytes.fromhex(row.sha256))
                elif row.pdq_quality >= min_quality:
                    values.add(row.pdq)
    prefix = "pdq " if algorithm is HashAlgorithm.PDQ else ""
    stream.writelines(f"{prefix}{value.hex()}\n" for value in sorted(values))
    return len(values)


def _read(lines: BinaryIO, bare: HashAlgorithm | None) -> Iterator[tuple[HashAlgorithm, bytes] | str]:
    """The hash of each line that has one, and for each malformed line what is wrong with it."""
    for number, line in enumerate(_lines(lines), start=1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if not text or text.startswith(_COMMENTS):
            continue
        try:
            yield _hash(text, bare)
        except UsageError as error:
            yield f"line {number}: {error}"


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines; what is beyond the longest one is skipped, and the line then reads as too long."""
    while line := stream.readline(MAX_LINE + 1):
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) > MAX_LINE:
            rest = stream.readline(MAX_LINE + 1)
        yield line


def _hash(line: bytes, bare: HashAlgorithm | None) -> tuple[HashAlgorithm, bytes]:
    text = line.decode("utf-8", "replace")
    found = _LINE.fullmatch(text)
    if found is None or len(line) > MAX_LINE:
        raise UsageError(f"not a hash of 64 hexadecimal digits: {printable(text[:40])}")
    named = (found["algorithm"] or "").lower().replace("-", "")
    algorithm = HashAlgorithm(named) if named else bare
    if algorithm is None:
        raise UsageError("a bare hash could be PDQ or SHA-256: say which is the algorithm")
    return algorithm, bytes.fromhex(found["value"])
