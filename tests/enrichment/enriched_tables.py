"""Rows as a file of each format."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def as_csv(folder: Path, rows: list[dict[str, Any]], name: str = "cases.csv") -> Path:
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def as_json_lines(folder: Path, rows: list[dict[str, Any]], name: str = "cases.jsonl") -> Path:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder / name


def as_parquet(folder: Path, rows: list[dict[str, Any]], name: str = "cases.parquet") -> Path:
    pq.write_table(pa.Table.from_pylist(rows), folder / name)
    return folder / name
