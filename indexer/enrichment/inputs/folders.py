"""A folder of pictures as rows: one per picture, named by its path."""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from indexer.enrichment.columns import Cell, Column
from indexer.enrichment.inputs.extended_tables import EXTENDERS
from indexer.enrichment.rows import RowQuery
from indexer.exchange.csv_safety import safe_cell
from indexer.imaging.limits import ImageLimits
from indexer.sources.folder import FolderSource
from indexer.sources.items import SourceItem, SourceRejection, SourceSkip

PATH = "path"
_AT_ONCE = 4_096


class FolderInput:
    """The pictures below a folder, in the order and by the rules of an ingest. The output is a table of the column
    `path` and the added ones, in the format of its name.

    Raises:
        SourceError: it holds no picture, or cannot be read.
    """

    def __init__(self, path: Path, limits: ImageLimits) -> None:
        self._root = path
        self._source = FolderSource.open(path, limits)
        self.mapping: Mapping[str, str] = {}
        self.columns: Sequence[str] = (PATH,)
        self.endings: Sequence[str] = (".csv", ".jsonl", ".parquet")

    def identity(self) -> str:
        """A digest of the pictures' paths, sizes and times of change."""
        digest = hashlib.sha256()
        for item in self._pictures():
            digest.update(item.location.encode("utf-8", "replace") + b"\0")
            with suppress(OSError, ValueError):
                facts = (self._root / item.location).stat()
                digest.update(f"{facts.st_size} {facts.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def count(self) -> int:
        """How many pictures there are."""
        return self._source.count()

    def queries(self) -> Iterator[RowQuery]:
        """Each picture; a link that leads out of the folder is a problem."""
        for item in self._pictures():
            if isinstance(item, SourceItem):
                yield RowQuery(item.location, item.read)
            else:
                yield RowQuery(item.location, problem=(item.reason, item.message))

    def _pictures(self) -> Iterator[SourceItem | SourceRejection]:
        return (item for item in self._source if not isinstance(item, SourceSkip))

    def write(self, target: Path, added: Sequence[Column], rows: Iterator[Sequence[Cell]]) -> None:
        """The paths as a table, and that table with the added columns."""
        kind = target.suffixes[-2] if target.suffix == ".part" else target.suffix
        paths = target.with_name(f"{target.name}{kind}")
        try:
            _WRITERS[kind.lower()](paths, (item.location for item in self._pictures()))
            EXTENDERS[kind.lower()](paths, target, added, rows)
        finally:
            paths.unlink(missing_ok=True)


def _write_csv(target: Path, paths: Iterator[str]) -> None:
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow([PATH])
        writer.writerows([safe_cell(path)] for path in paths)


def _write_json_lines(target: Path, paths: Iterator[str]) -> None:
    with target.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(json.dumps({PATH: path}, ensure_ascii=False) + "\n" for path in paths)


def _write_parquet(target: Path, paths: Iterator[str]) -> None:
    schema = pa.schema([(PATH, pa.string())])
    with pq.ParquetWriter(target, schema) as writer:
        some: list[str] = []
        for path in paths:
            some.append(path)
            if len(some) == _AT_ONCE:
                writer.write_batch(pa.record_batch([pa.array(some)], schema=schema))
                some = []
        writer.write_batch(pa.record_batch([pa.array(some, pa.string())], schema=schema))


_WRITERS = {".csv": _write_csv, ".jsonl": _write_json_lines, ".parquet": _write_parquet}
