"""A manifest: a table that names picture files beside it and says what they are."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from indexer.errors import ImageRejectedError, SourceError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.sources.columns import BadRowError, Columns
from indexer.sources.items import SourceItem, SourceRejection, file_edition, source_name
from indexer.sources.tables import TABLES, JsonLinesTable, Table


@dataclass(frozen=True, slots=True)
class ManifestSource:
    """The pictures of a CSV, TSV, JSONL or Parquet manifest, in its order, rows that repeat included.

    Paths are relative to the manifest's folder and may not leave it, by `..` or by a symbolic link. A row that
    cannot be used becomes a rejection that names row and column; the rest go on.
    """

    name: str
    _folder: Path
    _table: Table
    _columns: Columns
    _limits: ImageLimits
    _edition: str

    @classmethod
    def open(cls, path: Path, limits: ImageLimits, mapping: Mapping[str, str] | None = None) -> "ManifestSource":
        """Reads the header. `mapping` gives columns by field, before the known names (see `columns`).

        Raises:
            SourceError: not readable as what its name says; no rows; no column for the files; a mapped one missing.
        """
        table = TABLES[path.suffix.lower()](path)
        columns = Columns.find(table.columns(), mapping, path.name, fixed=not isinstance(table, JsonLinesTable))
        with closing(table.rows()) as rows:
            if next(rows, None) is None:
                raise SourceError(f"{path.name} has no rows; write one a picture")
        return cls(source_name(path), path.parent.resolve(), table, columns, limits, file_edition(path))

    def __iter__(self) -> Iterator[SourceItem | SourceRejection]:
        for row in self._table.rows():
            try:
                if row.problem is not None:
                    raise BadRowError(row.problem)
                yield replace(self._columns.item(row.cells, self.name, self._reader), edition=self._edition)
            except BadRowError as error:
                location = f"row {row.number}"
                yield SourceRejection(self.name, location, "bad_row", f"{location}: {error}")

    def count(self) -> int:
        """The number of rows."""
        return self._table.count()

    def _reader(self, path: PurePosixPath) -> Callable[[], bytes]:
        return partial(read_inside, self._folder, path, self._limits)


def read_inside(folder: Path, relative: PurePosixPath, limits: ImageLimits) -> bytes:
    """Reads a file of `folder`, which is a resolved path. Raises ImageRejectedError."""
    try:
        target = (folder / relative).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise ImageRejectedError("unreadable", f"the path cannot be followed ({error}); check it") from None
    if not target.is_relative_to(folder):
        raise ImageRejectedError("outside_folder", "the path leads out of the manifest's folder; copy the file into it")
    return read_bytes(target, limits)
