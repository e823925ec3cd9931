"""Writes a table again with more columns, in its own format; existing cells are not changed.

CSV and JSON Lines keep every byte of a row and get the new cells at its end; Parquet keeps every column, its type and
the file's metadata. Each writer takes as many rows of cells as `rows()` of its table gives, in that order.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from indexer.enrichment.columns import Cell, CellKind, Column
from indexer.exchange.csv_safety import safe_cell
from indexer.sources.csv_table import CsvRecord, CsvTable
from indexer.sources.lines import encoding_of, lines_of
from indexer.sources.tables import parsed

Cells = Sequence[Cell]
Codec = Literal["gzip", "brotli", "lz4", "zstd", "snappy", "none"]

_ARROW = {CellKind.TEXT: pa.string(), CellKind.INTEGER: pa.int64(), CellKind.NUMBER: pa.float64()}
_CODECS: Mapping[str, Codec] = {
    "GZIP": "gzip",
    "BROTLI": "brotli",
    "LZ4": "lz4",
    "ZSTD": "zstd",
    "UNCOMPRESSED": "none",
}
_PARQUET_BYTES = 64 * 2**20
"""About how many bytes of a Parquet file are in memory at a time."""
_PARQUET_ROWS = 65_536


def extend_csv(source: Path, target: Path, columns: Sequence[Column], rows: Iterator[Cells]) -> None:
    """Writes a CSV or TSV file with further columns; added text is safe to open in a spreadsheet. Blank lines are
    kept; a line that is too long to be read becomes an empty row."""
    table = CsvTable(source)
    delimiter, width = table.delimiter(), len(table.columns())
    with target.open("w", encoding=encoding_of(source), newline="") as stream:
        for record in table.records():
            if record.is_header:
                stream.write(_extended(record, [column.name for column in columns], width, delimiter))
            elif record.cells or record.problem is not None:
                stream.write(_extended(record, [_csv_cell(cell) for cell in next(rows)], width, delimiter))
            else:
                stream.write(record.text)


def _extended(record: CsvRecord, added: list[str], width: int, delimiter: str) -> str:
    """A record with added cells at its end. Its own cells are written again only where appending would change them.
    Cells beyond the header stay last, so that none of them is below an added column."""
    body = record.text.rstrip("\r\n")
    end = record.text[len(body) :]
    own = (record.cells + [""] * (width - len(record.cells)))[:width]
    more = _csv_line(added, delimiter)
    padded = body + delimiter * (width - len(record.cells)) + delimiter + more
    if len(record.cells) <= width and next(csv.reader(io.StringIO(padded), delimiter=delimiter)) == own + added:
        return padded + end
    return _csv_line([*own, *added, *record.cells[width:]], delimiter) + (end or "\n")


def _csv_line(cells: Sequence[str], delimiter: str) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="").writerow(cells)
    return stream.getvalue()


def _csv_cell(cell: Cell) -> str:
    return safe_cell(cell) if isinstance(cell, str) else "" if cell is None else str(cell)


def extend_json_lines(source: Path, target: Path, columns: Sequence[Column], rows: Iterator[Cells]) -> None:
    """Writes a file of JSON objects, one per line, with further keys. Lines that hold no object are kept; one that is
    too long to be read is replaced by an object with the added keys."""
    with target.open("w", encoding=encoding_of(source).removesuffix("-sig"), newline="") as stream:
        for whole in lines_of(source):
            line = "{}\n" if whole.too_long else whole.text
            if not line.strip():
                stream.write(line)
                continue
            cells = next(rows)
            value = _object(line)
            if value is None:
                stream.write(line)
                continue
            body = line.rstrip()
            added = json.dumps({column.name: cell for column, cell in zip(columns, cells, strict=True)})
            stream.write(body[:-1].rstrip() + (", " if value else "") + added[1:] + line[len(body) :])


def _object(line: str) -> dict[str, object] | None:
    try:
        value = parsed(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def extend_parquet(source: Path, target: Path, columns: Sequence[Column], rows: Iterator[Cells]) -> None:
    """Writes a Parquet file with further columns, compressed as the source is."""
    with pq.ParquetFile(source) as file:
        schema = file.schema_arrow
        for column in columns:
            schema = schema.append(pa.field(column.name, _ARROW[column.kind]))
        with pq.ParquetWriter(target, schema, compression=_compression(file)) as writer:
            for batch in file.iter_batches(batch_size=_rows_at_once(file)):
                added = [next(rows) for _ in range(batch.num_rows)]
                arrays = [
                    pa.array([cells[at] for cells in added], _ARROW[column.kind]) for at, column in enumerate(columns)
                ]
                writer.write_batch(pa.record_batch([*batch.columns, *arrays], schema=schema))


def _rows_at_once(file: pq.ParquetFile) -> int:
    held = file.metadata
    size = sum(held.row_group(at).total_byte_size for at in range(held.num_row_groups))
    return max(1, min(_PARQUET_ROWS, _PARQUET_BYTES * max(1, held.num_rows) // max(1, size)))


def _compression(file: pq.ParquetFile) -> Codec:
    held = file.metadata
    if not held.num_row_groups or not held.num_columns:
        return "snappy"
    return _CODECS.get(str(held.row_group(0).column(0).compression), "snappy")


EXTENDERS = {
    ".csv": extend_csv,
    ".tsv": extend_csv,
    ".jsonl": extend_json_lines,
    ".ndjson": extend_json_lines,
    ".parquet": extend_parquet,
}
"""Writers by file name ending, lower case."""
