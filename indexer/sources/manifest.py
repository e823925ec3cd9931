"""A manifest: a table of picture files with their labels and sightings."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from indexer.errors import SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources.columns import BadRowError, Columns
from indexer.sources.items import SourceItem, SourceRejection, file_edition, source_name
from indexer.sources.label_words import TABLE_ONLY, LabelWords
from indexer.sources.places import Places
from indexer.sources.tables import TABLES, JsonLinesTable, Table
from indexer.sources.times import DateOrder, proven_order


@dataclass(frozen=True, slots=True)
class ManifestSource:
    """The pictures of a CSV, TSV, JSONL or Parquet manifest, in its order, rows that repeat included.

    Paths are relative to the manifest's folder and may not leave it, by `..` or by a symbolic link, but for the roots
    that were allowed. A row that cannot be used becomes a rejection that names row and column; the rest go on.
    """

    name: str
    _places: Places
    _table: Table
    _columns: Columns
    _limits: ImageLimits
    _edition: str
    _dates: DateOrder | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        limits: ImageLimits,
        mapping: Mapping[str, str] | None = None,
        words: LabelWords = TABLE_ONLY,
        *,
        dates: DateOrder | None = None,
        roots: Sequence[Path] = (),
    ) -> "ManifestSource":
        """Reads the header. `mapping` gives columns by field, before the known names (see `columns`), and `words` what
        labels mean, before the table; `dates` says how dates in numbers are written, None to see whether the column
        shows it; `roots` are further folders that its paths may lead into.

        Raises:
            UsageError: a root is no folder.
            SourceError: not readable as what its name says; no rows; no column for the files; a mapped one missing.
        """
        table = TABLES[path.suffix.lower()](path)
        fixed = not isinstance(table, JsonLinesTable)
        repeated = table.repeated()
        try:
            columns = Columns.find(table.columns(), mapping, path.name, fixed=fixed, words=words, repeated=repeated)
        except SourceError:
            if not isinstance(table, JsonLinesTable):
                raise
            # its first line may say less than the others
            columns = Columns.find(table.all_columns(), mapping, path.name, fixed=fixed, words=words)
        with closing(table.rows()) as rows:
            if next(rows, None) is None:
                raise SourceError(f"{path.name} has no rows; write one a picture")
        edition = file_edition(path) + words.mark
        return cls(source_name(path), Places(path.parent, limits, roots), table, columns, limits, edition, dates)

    def __iter__(self) -> Iterator[SourceItem | SourceRejection]:
        order = cache(self._order)
        for row in self._table.rows():
            try:
                if row.problem is not None:
                    raise BadRowError(row.problem)
                yield replace(self._columns.item(row.cells, self.name, self._places, order), edition=self._edition)
            except BadRowError as error:
                location = f"row {row.number}"
                yield SourceRejection(self.name, location, "bad_row", f"{location}: {error}")

    def count(self) -> int:
        """The number of rows."""
        return self._table.count()

    def _order(self) -> DateOrder | None:
        """The order of numeric dates: as given, or as the whole column shows."""
        if self._dates is not None:
            return self._dates
        columns = self._columns.by_field.get("posted_at", ())
        return proven_order(
            row.cells[column] for row in self._table.rows() for column in columns if column in row.cells
        )
