"""Rows of CSV, TSV, JSONL and Parquet files, one at a time in flat memory. What the columns mean is not known here."""

import csv
import itertools
import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from indexer.errors import SourceError
from indexer.sources.cells import as_text
from indexer.sources.items import printable

MAX_LINE = 4 * 2**20
"""Longest line of a CSV or JSONL file, in bytes."""
MAX_KEYS = 10_000
"""Most different keys the lines of a JSONL file may have together."""
_BATCH_ROWS = 512


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` is counted as editors and spreadsheets do; `cells` holds what is not empty, by column.
    `problem` says why the row cannot be used, None when it can."""

    number: int
    cells: Mapping[str, str]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """One record of a CSV file, the header included: its cells, none for a blank line, and the lines it was read from
    as they stand, without a byte order mark."""

    number: int
    cells: list[str]
    text: str


class CsvTable:
    """A CSV or TSV file with a header; UTF-8; separated by commas, semicolons or tabs, as its header shows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self) -> tuple[str, ...]:
        """The header. Raises SourceError when there is none or a name stands twice."""
        with closing(self.records()) as records:
            header = next(records, None)
        names = tuple(printable(cell.strip()) for cell in header.cells) if header else ()
        twice = {name for name in names if name and names.count(name) > 1}
        if not any(names):
            raise SourceError(f"{self._path.name} is empty; its first line must name the columns")
        if twice:
            raise SourceError(f"{self._path.name} names the column {sorted(twice)[0]} twice; rename one")
        return names

    def rows(self) -> Generator[Row]:
        """All rows after the header; blank lines are left out."""
        header = self.columns()
        for record in itertools.islice(self.records(), 1, None):
            cells = [as_text(cell) for cell in record.cells]
            if any(cells[len(header) :]):
                yield Row(
                    record.number, {}, f"it has {len(cells)} cells, the header {len(header)}; quote cells with commas"
                )
            elif cells:
                named = zip(header, cells, strict=False)
                yield Row(record.number, {name: cell for name, cell in named if name and cell})

    def count(self) -> int:
        """The number of rows."""
        return sum(1 for record in itertools.islice(self.records(), 1, None) if record.cells)

    def delimiter(self) -> str:
        """What separates the cells."""
        with closing(text_lines(self._path)) as lines:
            first = next(lines, "")
        return max("\t" if self._path.suffix.lower() == ".tsv" else ",", ",", ";", "\t", key=first.count)

    def records(self) -> Generator[CsvRecord]:
        """All records, the header first. A cell longer than csv's own limit of 131,072 characters ends the reading."""
        read: list[str] = []

        def lines() -> Generator[str]:
            for line in text_lines(self._path):
                read.append(line)
                yield line

        reader = csv.reader(lines(), delimiter=self.delimiter())
        try:
            for number, cells in enumerate(reader, start=1):
                yield CsvRecord(number, cells, "".join(read))
                read.clear()
        except csv.Error as error:
            raise SourceError(
                f"{self._path.name} is not readable as CSV at line {reader.line_num} ({error}); repair that line"
            ) from None


class JsonLinesTable:
    """A file of one JSON object a line, UTF-8."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self) -> tuple[str, ...]:
        """The keys of the first usable line; later lines may have others. Raises SourceError when there is none."""
        with closing(self._objects()) as objects:
            for _, value in objects:
                if isinstance(value, dict):
                    return tuple(value)
        raise SourceError(f"{self._path.name} has no line with a JSON object; write one object a line")

    def all_columns(self) -> tuple[str, ...]:
        """The keys of all lines, in the order they first appear; at most `MAX_KEYS`.

        Raises:
            SourceError: no line holds an object, or there are more keys than that.
        """
        names = dict.fromkeys(self.columns())
        for _, value in self._objects():
            names.update(dict.fromkeys(value or ()))
            if len(names) > MAX_KEYS:
                raise SourceError(f"{self._path.name} has more than {MAX_KEYS:,} different keys; that is no table")
        return tuple(names)

    def rows(self) -> Generator[Row]:
        """All lines that are not blank."""
        for number, value in self._objects():
            if value is None:
                yield Row(number, {}, "it is not a JSON object; write one object a line")
            else:
                texts = ((key, as_text(cell)) for key, cell in value.items())
                yield Row(number, {key: text for key, text in texts if text})

    def count(self) -> int:
        """The number of lines that are not blank."""
        return sum(1 for line in text_lines(self._path) if line.strip())

    def _objects(self) -> Generator[tuple[int, dict[str, object] | None]]:
        """The objects of all lines that are not blank; None for what is something else."""
        for number, line in enumerate(text_lines(self._path), start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            usable = isinstance(value, dict)
            yield number, {printable(key.strip()): cell for key, cell in value.items()} if usable else None


class ParquetTable:
    """A Parquet file; columns that hold bytes or nested values are left out."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self) -> tuple[str, ...]:
        """The plain columns of the schema."""
        with self._opened() as file:
            return tuple(_plain_columns(file.schema_arrow))

    def rows(self) -> Generator[Row]:
        """All rows, numbered from 1."""
        number = 0
        with self._opened() as file:
            names = _plain_columns(file.schema_arrow)
            try:
                for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
                    for record in batch.to_pylist():
                        number += 1
                        texts = ((key, as_text(value)) for key, value in record.items())
                        yield Row(number, {printable(key): text for key, text in texts if text})
            except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
                raise self._unreadable(error) from None

    def count(self) -> int:
        """The number of rows, from the file's footer."""
        with self._opened() as file:
            return int(file.metadata.num_rows)

    def _opened(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> SourceError:
        detail = printable(" ".join(str(error).split()))[:160]
        return SourceError(f"{self._path.name} is not readable as Parquet ({detail}); write it again")


Table = CsvTable | JsonLinesTable | ParquetTable

TABLES: Mapping[str, type[CsvTable] | type[JsonLinesTable] | type[ParquetTable]] = {
    ".csv": CsvTable,
    ".tsv": CsvTable,
    ".jsonl": JsonLinesTable,
    ".ndjson": JsonLinesTable,
    ".parquet": ParquetTable,
}
"""Readers by file name ending, lower case."""


def _plain_columns(schema: pa.Schema) -> list[str]:
    def plain(kind: pa.DataType) -> bool:
        binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
        return not binary and not pa.types.is_nested(kind)

    return [field.name for field in schema if plain(field.type)]


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read ({error.strerror}); check the path and permissions") from None


def text_lines(path: Path) -> Generator[str]:
    """The lines of a UTF-8 file with their ends, without a byte order mark, each bounded before it is whole in memory.

    Raises:
        SourceError: the file cannot be read, is not UTF-8, or has too long a line.
    """
    with _opened(path) as file:
        for number in itertools.count(1):
            line = file.readline(MAX_LINE + 1)
            if not line:
                return
            if len(line) > MAX_LINE:
                raise SourceError(f"{path.name}: line {number} is longer than {MAX_LINE:,} bytes; split it")
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise SourceError(f"{path.name} is not UTF-8 at line {number}; save it as UTF-8") from None
