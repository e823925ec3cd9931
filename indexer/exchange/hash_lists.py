"""Imports hash lists and exports our own hashes: `pdq <64 hex>` lines as ThreatExchange writes them, or bare SHA-256.

The formats of imported lists are read in `hash_reading`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import IO, BinaryIO

from sqlalchemy import select

from indexer.catalog import Catalog, hash_lists
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.portable import one_of
from indexer.exchange.hash_notation import ReadHash
from indexer.exchange.hash_reading import Problem, read_hashes
from indexer.imaging.content import has_too_little
from indexer.vocabulary import HashAlgorithm, LabelValue, PdqMethod

MOST_PROBLEMS = 20
"""Most rejected lines that are described; the others are only counted."""
_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class ListImport:
    """What an import did: hashes `added` and already `known` in that list (or repeated), PDQ hashes `left_out` because
    of the low quality the list gives them, `malformed` lines; `problems` describes the first of both."""

    added: int
    known: int
    left_out: int
    malformed: int
    problems: tuple[str, ...]


def import_hashes(
    catalog: Catalog,
    lines: BinaryIO,
    source: str,
    *,
    algorithm: HashAlgorithm | None = None,
    label: LabelValue = LabelValue.FAKE,
    min_quality: int,
    observe: Callable[[int], None] = lambda _: None,
) -> ListImport:
    """Put the hashes of a text into the list `source`. Importing it again adds what is new and repeats nothing.

    Read are `pdq <hash>`, `sha256 <hash>` and bare hashes of 64 hexadecimal digits, `hash,quality` as Meta's tools
    write it, what sha256sum prints, tables with a header, JSON and JSON Lines; see `hash_reading`. Empty lines and
    those that begin with `#`, `;` or `//` are ignored. Malformed lines are counted and do not stop the import; a
    text of nothing else creates no list.

    Args:
        lines: the text; read line by line, in flat memory.
        algorithm: of bare hashes. The two cannot be told apart, so None makes every bare hash malformed.
        label: what the list says all of its images are.
        min_quality: PDQ hashes to which the list gives less, 0 to 100, are left out: their pictures have too little
            structure, and would match others like that. A hash without a quality is taken on trust.
        observe: called with the number of lines that were just read.

    Raises:
        ConflictError: the list is there with another label.
        UsageError: the name is empty or too long.
        SourceError: a JSON document too long to be read whole.
    """
    added = known = left_out = malformed = 0
    problems: list[str] = []
    read = read_hashes(lines, algorithm)
    while some := list(islice(read, _AT_ONCE)):
        said = [line for line in some if isinstance(line, ReadHash)]
        hashes = [(line.algorithm, line.value) for line in said if not _too_plain(line, min_quality)]
        plain = [line for line in said if _too_plain(line, min_quality)]
        wrong = [line.message for line in some if isinstance(line, Problem)]
        new = 0
        if hashes:
            with catalog.writing() as session:
                new = hash_lists.add(session, source, label, hashes)
        added, known, malformed = added + new, known + len(hashes) - new, malformed + len(wrong)
        left_out += len(plain)
        wrong += [f"{line.where}: left out, its quality {line.quality} is below {min_quality}" for line in plain]
        problems += wrong[: MOST_PROBLEMS - len(problems)]
        observe(len(some))
    return ListImport(added, known, left_out, malformed, tuple(problems))


def _too_plain(entry: ReadHash, min_quality: int) -> bool:
    return entry.quality is not None and entry.quality < min_quality


def export_hashes(
    catalog: Catalog, selection: ImageFilter, algorithm: HashAlgorithm, stream: IO[str], *, min_quality: int
) -> int:
    """Write the hashes of the images that meet a filter, each once and sorted: `pdq <hash>` lines, which
    ThreatExchange's tools read, or bare SHA-256. PDQ hashes of a quality below `min_quality` (0 to 100) are left out:
    pictures of too little structure would match each other; and so are those that were not taken by the reference
    method, which other tools would not find. Hashes of other people's lists are theirs to share.

    Returns:
        How many were written.
    """
    values: set[bytes] = set()
    with catalog.reading() as session:
        ids = images.matching_ids(session, selection)
        for start in range(0, len(ids), _AT_ONCE):
            columns = select(ImageRow.sha256, ImageRow.pdq, ImageRow.pdq_quality, ImageRow.pdq_method, ImageRow.content)
            for row in session.execute(columns.where(one_of(ImageRow.id, ids[start : start + _AT_ONCE].tolist()))):
                if algorithm is HashAlgorithm.SHA256:
                    values.add(bytes.fromhex(row.sha256))
                elif (
                    row.pdq_quality >= min_quality
                    and row.pdq_method == PdqMethod.REFERENCE
                    and not has_too_little(row.content, row.pdq_quality)
                ):
                    values.add(row.pdq)
    prefix = "pdq " if algorithm is HashAlgorithm.PDQ else ""
    stream.writelines(f"{prefix}{value.hex()}\n" for value in sorted(values))
    return len(values)
