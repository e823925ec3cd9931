"""The inputs of `dejafake enrich`: each yields the queries of its rows, and writes itself again with the answers."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from indexer.enrichment.columns import Cell, Column
from indexer.enrichment.inputs.archiver import ArchiverCsvInput, ArchiverJsonInput
from indexer.enrichment.inputs.extended_tables import EXTENDERS
from indexer.enrichment.inputs.folders import FolderInput
from indexer.enrichment.inputs.reviews import DOCUMENTS, PAGES, ReviewsInput
from indexer.enrichment.mapping import ColumnMapping
from indexer.enrichment.rows import RowQuery
from indexer.errors import SourceError, UsageError
from indexer.imaging.limits import ImageLimits
from indexer.sources.items import printable
from indexer.sources.places import Places
from indexer.sources.tables import TABLES, JsonLinesTable


class Input(Protocol):
    """Rows to answer. Iterating again gives the same rows in the same order as long as `identity` is the same."""

    @property
    def mapping(self) -> Mapping[str, str]:
        """The column of the input that each field is read from; empty if the input has fixed fields."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """The existing column names."""
        ...

    @property
    def endings(self) -> Sequence[str]:
        """The endings that the output's name may have, lower case."""
        ...

    def identity(self) -> str:
        """A digest of everything that determines the rows."""
        ...

    def count(self) -> int:
        """How many rows there are.

        Raises:
            SourceError: the input cannot be read to its end, or columns could not be added to all its rows.
        """
        ...

    def queries(self) -> Iterator[RowQuery]:
        """The query of each row, lazily."""
        ...

    def write(self, target: Path, added: Sequence[Column], rows: Iterator[Sequence[Cell]]) -> None:
        """Writes the input with the added columns: one row of cells for each row of `queries`, in that order."""
        ...


class TableInput:
    """A CSV, TSV, JSON Lines or Parquet file with any columns; pictures are read from the folder it lies in.

    Raises:
        SourceError: it cannot be read in the format of its name.
        UsageError: no column gives a query, or `mapping` names a column that does not exist.
    """

    def __init__(self, path: Path, mapping: Mapping[str, str], limits: ImageLimits, roots: Sequence[Path] = ()) -> None:
        self._path = path
        self._places = Places(path.parent, limits, roots)
        self._table = TABLES[path.suffix.lower()](path)
        every = self._table.all_columns() if isinstance(self._table, JsonLinesTable) else self._table.columns()
        self.columns: Sequence[str] = every
        self._mapping = ColumnMapping.find(every, mapping, printable(path.name), self._table.repeated())
        self.mapping: Mapping[str, str] = self._mapping.by_field
        self.endings: Sequence[str] = (path.suffix.lower(),)

    def identity(self) -> str:
        """SHA-256 of the file."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def count(self) -> int:
        """The number of rows."""
        return self._table.count()

    def queries(self) -> Iterator[RowQuery]:
        """The query of each row."""
        for row in self._table.rows():
            yield self._mapping.query(row, self._places)

    def write(self, target: Path, added: Sequence[Column], rows: Iterator[Sequence[Cell]]) -> None:
        """The same rows, order and format, with the added columns."""
        EXTENDERS[self._path.suffix.lower()](self._path, target, added, rows)


def open_input(path: Path, mapping: Mapping[str, str], limits: ImageLimits, roots: Sequence[Path] = ()) -> Input:
    """The input at `path`: a table (.csv, .tsv, .jsonl, .ndjson, .parquet), a folder of pictures, reviews in JSON-LD
    (.json, .jsonld) or in an HTML page, or what auto-archiver wrote (its CSV, known by its header, or a metadata.json,
    known by its list of media).

    Args:
        path: what to read.
        mapping: columns by field (`{"path": "file"}`); empty to guess them by their names.
        limits: bounds on every picture.
        roots: folders that its paths may lead into, besides its own.

    Raises:
        SourceError: there is nothing there, or it cannot be read.
        UsageError: it is of another kind, or the mapping does not fit it.
    """
    shown, kind = printable(str(path)), path.suffix.lower()
    if not path.exists():
        raise SourceError(f"there is no file or folder {shown}; check the path")
    is_table = path.is_file() and kind in TABLES
    if mapping and not is_table:
        raise UsageError(f"{shown} is not a table, so there are no columns to map; omit --map")
    if path.is_dir():
        return FolderInput(path, limits)
    if kind == ".json" and ArchiverJsonInput.describes(path):
        return ArchiverJsonInput(path, limits, roots)
    if kind in (*DOCUMENTS, *PAGES):
        return ReviewsInput(path, limits, roots)
    if not is_table:
        raise UsageError(
            f"{shown} cannot be enriched: give a .csv, .tsv, .jsonl, .ndjson or .parquet file, a folder of pictures, "
            "ClaimReview or MediaReview in .json, .jsonld or .html, or a metadata.json of auto-archiver"
        )
    if kind == ".csv" and not mapping and ArchiverCsvInput.describes(path):
        return ArchiverCsvInput(path, limits, roots)
    return TableInput(path, mapping, limits, roots)
