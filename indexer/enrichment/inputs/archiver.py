"""Output of Bellingcat's auto-archiver: its CSV, one row per archived page, and a page's metadata.json.

A page has several media, and every picture among them is a query. In the CSV a row gets the most serious of its
pictures' answers; in metadata.json each medium gets its own. CSV cells are Python literals and are never evaluated.
"""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeGuard

from indexer.enrichment.columns import Cell, Column
from indexer.enrichment.inputs.bounded_reading import read_bounded
from indexer.enrichment.inputs.extended_tables import extend_csv
from indexer.enrichment.inputs.json_text import json_text
from indexer.enrichment.mapping import as_digest, as_pdq, as_picture_path
from indexer.enrichment.row_answer import gravest
from indexer.enrichment.rows import RowQuery
from indexer.errors import SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources.csv_table import CsvTable
from indexer.sources.folder import PICTURE_SUFFIXES
from indexer.sources.items import printable
from indexer.sources.places import Places
from indexer.sources.rows import Row

CSV_COLUMNS = frozenset({"status", "metadata", "media"})
"""The header by which its CSV is recognised."""
MAX_JSON_BYTES = 64 * 2**20
"""Largest metadata.json that is read."""


@dataclass(frozen=True, slots=True)
class _Media:
    """Reads media that lie in these folders."""

    places: Places

    def query(self, location: str, medium: Mapping[str, Any]) -> RowQuery:
        """The query of a medium: its file if that is in the folder, else its hashes."""
        properties = medium.get("properties")
        said = properties if isinstance(properties, Mapping) else {}
        hashed, pdq_hash = str(said.get("hash") or ""), str(said.get("pdq_hash") or "")
        try:
            sha256 = as_digest(hashed) if hashed.upper().startswith("SHA-256:") else None
            pdq = as_pdq(pdq_hash) if pdq_hash else None
        except ValueError as error:
            return RowQuery(location, problem=("bad_row", f"media: a hash {error}"))
        filename = str(medium.get("filename") or "")
        try:
            path = as_picture_path(filename, self.places)
            if (sha256 or pdq) and not self.places.has(path):
                return RowQuery(location, None, sha256, pdq)
        except (ValueError, OSError) as error:  # where it was archived, not here
            if sha256 or pdq:
                return RowQuery(location, None, sha256, pdq)
            return RowQuery(location, problem=("bad_row", f"media: '{printable(filename[:80])}' {error}"))
        return RowQuery(location, self.places.find(path)[0], sha256)


class ArchiverCsvInput:
    """The CSV of auto-archiver's `csv_db`. Counts and listings are by picture; a row without any is one, and a problem.

    Raises:
        SourceError: it cannot be read.
    """

    def __init__(self, path: Path, limits: ImageLimits, roots: Sequence[Path] = ()) -> None:
        self._path = path
        self._table = CsvTable(path)
        self._media = _Media(Places(path.parent, limits, roots))
        self.columns: Sequence[str] = self._table.columns()
        self.mapping: Mapping[str, str] = {"pictures": "media"}
        self.endings: Sequence[str] = (path.suffix.lower(),)

    @staticmethod
    def describes(path: Path) -> bool:
        """Whether the CSV file at `path` is one of auto-archiver's, by its header."""
        return set(CsvTable(path).columns()) >= CSV_COLUMNS

    def identity(self) -> str:
        """SHA-256 of the file."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def count(self) -> int:
        """How many pictures the rows hold."""
        return sum(1 for _ in self.queries())

    def queries(self) -> Iterator[RowQuery]:
        """Each picture of each row."""
        for row in self._table.rows():
            yield from self._of(row)

    def write(self, target: Path, added: Sequence[Column], rows: Iterator[Sequence[Cell]]) -> None:
        """The same rows, each with the gravest answer of its pictures."""
        folded = (gravest([next(rows) for _ in self._of(row)]) for row in self._table.rows())
        extend_csv(self._path, target, added, folded)

    def _of(self, row: Row) -> list[RowQuery]:
        location = f"row {row.number}"
        if row.problem is not None:
            return [RowQuery(location, problem=("bad_row", row.problem))]
        media = _literal(row.cells.get("media", "[]"))
        if not isinstance(media, list):
            return [
                RowQuery(location, problem=("bad_row", "column media: not a list of media as auto-archiver writes"))
            ]
        pictures = [medium for medium in media if isinstance(medium, Mapping) and _is_picture(medium)]
        if not pictures:
            return [RowQuery(location, problem=("nothing_to_search", "no picture among the media of this row"))]
        return [self._media.query(f"{location}, picture {at}", picture) for at, picture in enumerate(pictures, start=1)]


class ArchiverJsonInput:
    """A metadata.json of auto-archiver: each picture among its media gets the added keys.

    Raises:
        SourceError: it cannot be read, is too large, or is not such a document.
    """

    def __init__(self, path: Path, limits: ImageLimits, roots: Sequence[Path] = ()) -> None:
        self._path = path
        self._media = _Media(Places(path.parent, limits, roots))
        document = _document(path)
        if not _is_metadata(document):
            raise SourceError(f"{printable(path.name)} is not a metadata.json of auto-archiver: it has no list `media`")
        self._document = document
        self._pictures = [
            (at, medium)
            for at, medium in enumerate(self._document["media"])
            if isinstance(medium, dict) and _is_picture(medium)
        ]
        self.columns: Sequence[str] = tuple({key for _, medium in self._pictures for key in medium})
        self.mapping: Mapping[str, str] = {"pictures": "media"}
        self.endings: Sequence[str] = (".json",)

    @staticmethod
    def describes(path: Path) -> bool:
        """Whether the JSON file at `path` is one of auto-archiver's: an object with a list `media`, and no JSON-LD."""
        return _is_metadata(_document(path))

    def identity(self) -> str:
        """SHA-256 of the document."""
        return hashlib.sha256(json.dumps(self._document, sort_keys=True).encode()).hexdigest()

    def count(self) -> int:
        """How many pictures are among the media."""
        return len(self._pictures)

    def queries(self) -> Iterator[RowQuery]:
        """Each picture."""
        for at, medium in self._pictures:
            yield self._media.query(f"media {at + 1}", medium)

    def write(self, target: Path, added: Sequence[Column], rows: Iterator[Sequence[Cell]]) -> None:
        """The document with the added keys in each picture's entry."""
        media = list(self._document["media"])
        names = [column.name for column in added]
        for at, medium in self._pictures:
            media[at] = {**medium, **dict(zip(names, next(rows), strict=True))}
        text = json_text({**self._document, "media": media}, indent=2)
        target.write_text(text + "\n", encoding="utf-8")


def _is_picture(medium: Mapping[str, Any]) -> bool:
    kind = medium.get("_mimetype") or medium.get("mimetype")
    if isinstance(kind, str) and kind:
        return kind.startswith("image/")
    return PurePath(str(medium.get("filename"))).suffix.lower() in PICTURE_SUFFIXES


def _literal(text: str) -> object:
    """The value of a Python literal, None if it is not one. The CSV reader bounds the cell's length."""
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value


def _document(path: Path) -> object:
    """The JSON value in a file, None if it is not JSON."""
    data = read_bounded(path, MAX_JSON_BYTES)
    try:
        document: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document


def _is_metadata(document: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(document, dict) and isinstance(document.get("media"), list) and "@context" not in document
