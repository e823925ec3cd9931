"""Rows of CSV, TSV, JSONL and Parquet files, one at a time in constant memory, whatever the columns mean."""

import json
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from indexer.errors import SourceError
from indexer.sources.cells import as_text
from indexer.sources.csv_table import CsvTable
from indexer.sources.items import printable
from indexer.sources.lines import MAX_LINE, lines_of
from indexer.sources.rows import MAX_COLUMNS, Row

MAX_KEYS = 10_000
"""Most different keys the lines of a JSONL file may have together."""
_BATCH_ROWS = 512
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800 + 86_400, 253_402_300_799 - 86_400
"""Of the years 1 to 9999, in seconds since 1970, a day from either end."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


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
            names.update(dict.fromkeys(value if isinstance(value, dict) else ()))
            if len(names) > MAX_KEYS:
                raise SourceError(f"{self._path.name} has more than {MAX_KEYS:,} different keys; that is no table")
        return tuple(names)

    def rows(self) -> Generator[Row]:
        """All lines that are not blank."""
        for number, value in self._objects():
            if isinstance(value, str):
                yield Row(number, {}, value)
            else:
                texts = ((key, as_text(cell)) for key, cell in value.items())
                yield Row(number, {key: text for key, text in texts if text})

    def repeated(self) -> frozenset[str]:
        """None: JSON keeps the last of two."""
        return frozenset()

    def count(self) -> int:
        """The number of lines that are not blank."""
        return sum(1 for line in lines_of(self._path) if line.too_long or line.text.strip())

    def _objects(self) -> Generator[tuple[int, dict[str, object] | str]]:
        """The objects of all lines that are not blank, or the problem of a line without one."""
        for number, line in enumerate(lines_of(self._path), start=1):
            if line.too_long:
                yield number, f"its line is longer than {MAX_LINE:,} characters; shorten it"
            elif line.text.strip():
                yield number, _object(line.text)


def _object(line: str) -> dict[str, object] | str:
    try:
        value = parsed(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return "it is not a JSON object; write one object a line"
    if len(value) > MAX_KEYS:
        return f"it has {len(value):,} keys; at most {MAX_KEYS:,} are read"
    return {printable(key.strip()): cell for key, cell in value.items()}


def parsed(line: str) -> object:
    """The value of a JSON text; a whole number longer than Python reads is text.

    Raises:
        ValueError: not JSON.
        RecursionError: nested too deeply.
    """
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(line, parse_int=str)


class ParquetTable:
    """A Parquet file; columns that hold bytes or nested values are left out."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self) -> tuple[str, ...]:
        """The plain columns of the schema."""
        with self._opened() as file:
            names = tuple(_plain_columns(file.schema_arrow))
        if len(names) > MAX_COLUMNS:
            raise SourceError(
                f"{self._path.name} has {len(names):,} columns; at most {MAX_COLUMNS:,} are read: leave some out"
            )
        return names

    def repeated(self) -> frozenset[str]:
        """The names that several columns have."""
        with self._opened() as file:
            names = Counter(_plain_columns(file.schema_arrow))
        return frozenset(name for name, count in names.items() if count > 1)

    def rows(self) -> Generator[Row]:
        """All rows, numbered from 1."""
        number = 0
        with self._opened() as file:
            names = _plain_columns(file.schema_arrow)
            try:
                for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
                    for record in _readable(batch).to_pylist():
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


def _readable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch with times that Python can represent: to the microsecond, or as text if the year is out of range."""
    arrays: list[Any] = []
    for array in batch.columns:
        if pa.types.is_timestamp(array.type):
            limits: Mapping[str, int | None] = pc.min_max(array.cast(pa.int64())).as_py()  # type: ignore[assignment]
            per_second = _PER_SECOND[array.type.unit]
            seconds = [value // per_second for value in limits.values() if value is not None]
            if all(_FIRST_SECOND <= second <= _LAST_SECOND for second in seconds):
                array = pc.cast(array, pa.timestamp("us", array.type.tz), safe=False)
            else:
                array = pa.array([_as_words(value, array.type.unit) for value in array.cast(pa.int64()).to_pylist()])
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _as_words(value: int | None, unit: str) -> str | None:
    """A count since 1970 as ISO 8601, or as a number if Python has no such year."""
    if value is None:
        return None
    seconds, rest = divmod(value, _PER_SECOND[unit])
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
        return f"{value} {unit} since 1970"
    micros = rest * 10**6 // _PER_SECOND[unit]
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=micros)).isoformat()
