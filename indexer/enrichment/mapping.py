"""Which columns of somebody's table say what a row asks with, and a row as that question."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from indexer.enrichment.rows import RowQuery
from indexer.errors import UsageError
from indexer.imaging.hashing import PdqHash
from indexer.imaging.limits import ImageLimits
from indexer.sources.cells import as_sha256
from indexer.sources.columns import KNOWN_COLUMNS as MANIFEST_COLUMNS
from indexer.sources.columns import as_relative_path
from indexer.sources.items import printable
from indexer.sources.manifest import read_inside
from indexer.sources.tables import Row

T = TypeVar("T")

KNOWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": (*MANIFEST_COLUMNS["path"], "picture", "media", "media_path", "local_path"),
    "sha256": ("sha256", "sha_256", "sha-256", "image_sha256"),
    "pdq": ("pdq", "pdq_hash", "pdqhash"),
}
"""What a row can ask with and the columns it is guessed from, the first that is there; case does not matter."""
_SHORTEST_PDQ = 56
"""Fewest hex digits: spreadsheets drop leading zeros, but hardly more than a few."""
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The column each field is read from; fields that no column gives are left out."""

    by_field: Mapping[str, str]

    @classmethod
    def find(cls, columns: Iterable[str], given: Mapping[str, str], table: str) -> "ColumnMapping":
        """Settles the columns of a table that has these: with `given` (field to column) that is the mapping, without
        it the columns are guessed by their names.

        Raises:
            UsageError: an unknown field or a missing column in `given`, or nothing to ask with; the message lists what
                is there.
        """
        names = [name for name in columns if name]
        by_lower = {name.lower(): name for name in reversed(names)}
        shown = ", ".join(printable(name)[:60] for name in names[:30]) or "none"
        for field, column in given.items():
            if field not in KNOWN_COLUMNS:
                raise UsageError(f"there is no field {field!r} to map a column to; fields: {', '.join(KNOWN_COLUMNS)}")
            if column.lower() not in by_lower:
                raise UsageError(f"{table} has no column {column!r}; found: {shown}")
        by_field = {field: column if column in names else by_lower[column.lower()] for field, column in given.items()}
        if not given:
            for field, aliases in KNOWN_COLUMNS.items():
                found = next((by_lower[alias] for alias in aliases if alias in by_lower), None)
                if found is not None:
                    by_field[field] = found
        if not by_field:
            raise UsageError(
                f"{table} has no column known to name pictures or their hashes; found: {shown}; name one with "
                f"--map path=COLUMN, --map sha256=COLUMN or --map pdq=COLUMN"
            )
        return cls(by_field)

    def query(self, row: Row, folder: Path, limits: ImageLimits) -> RowQuery:
        """What a row asks with; its picture's path is relative to `folder` (resolved), which it may not leave."""
        location = f"row {row.number}"
        if row.problem is not None:
            return RowQuery(location, problem=("bad_row", row.problem))
        try:
            path = self._read(row, "path", as_picture_path)
            sha256, pdq = self._read(row, "sha256", as_digest), self._read(row, "pdq", as_pdq)
        except ValueError as error:
            return RowQuery(location, problem=("bad_row", str(error)))
        if path is not None:
            return RowQuery(location, partial(read_inside, folder, path, limits), sha256, pdq)
        if sha256 is None and pdq is None:
            columns = " and ".join(printable(column)[:60] for column in self.by_field.values())
            return RowQuery(location, problem=("nothing_to_search", f"nothing to search with: {columns} is empty"))
        return RowQuery(location, None, sha256, pdq)

    def _read(self, row: Row, field: str, convert: Callable[[str], T]) -> T | None:
        text = row.cells.get(self.by_field.get(field, ""))
        if text is None:
            return None
        try:
            return convert(text)
        except ValueError as error:
            column = printable(self.by_field[field])[:60]
            raise ValueError(f"column {column}: '{printable(text[:_SHOWN])}' {error}") from None


def as_picture_path(text: str) -> PurePosixPath:
    """A path inside the table's folder.

    Raises:
        ValueError: it leads out of it, or is a web address.
    """
    if "://" in text:
        raise ValueError("is a web address, which is never fetched; download the picture beside the file")
    return as_relative_path(text)


def as_digest(text: str) -> str:
    """A SHA-256 in lower case, written plainly or as `SHA-256:<hex>`.

    Raises:
        ValueError: not one.
    """
    kind, colon, digest = text.partition(":")
    return as_sha256(digest.strip() if colon and kind.strip().lower() in ("sha-256", "sha256") else text)


def as_pdq(text: str) -> str:
    """A PDQ hash as 64 hex digits; leading zeros that a spreadsheet dropped are put back.

    Raises:
        ValueError: not one.
    """
    try:
        if len(text) < _SHORTEST_PDQ:
            raise ValueError(text)
        return PdqHash.from_hex(text).hex
    except ValueError:
        raise ValueError("is not a PDQ hash; it needs 64 digits of 0-9 and a-f") from None
