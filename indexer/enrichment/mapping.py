"""Which columns of a table form the query of a row, and the query of a row."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

from indexer.enrichment.rows import RowQuery
from indexer.errors import UsageError
from indexer.imaging.hashing import PdqHash
from indexer.sources.cells import as_sha256
from indexer.sources.columns import KNOWN_COLUMNS as MANIFEST_COLUMNS
from indexer.sources.items import printable
from indexer.sources.places import Places
from indexer.sources.rows import Row

T = TypeVar("T")

KNOWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": (*MANIFEST_COLUMNS["path"], "picture", "media", "media_path", "local_path"),
    "sha256": ("sha256", "sha_256", "sha-256", "image_sha256"),
    "pdq": ("pdq", "pdq_hash", "pdqhash"),
}
"""The fields of a query and the columns each is guessed from; the first that exists counts, in any case."""
_SHORTEST_PDQ = 56
"""Fewest hex digits: spreadsheets drop leading zeros, but hardly more than a few."""
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The column that each field is read from; fields without a column are left out."""

    by_field: Mapping[str, str]

    @classmethod
    def find(
        cls, columns: Iterable[str], given: Mapping[str, str], table: str, repeated: Collection[str] = ()
    ) -> "ColumnMapping":
        """The mapping of a table with these columns: `given` (field to column), or else guessed by their names.

        Raises:
            UsageError: an unknown field or a missing column in `given`, a column that occurs twice (`repeated`), or no
                column that gives a query; the message lists the columns.
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
                match = next((by_lower[alias] for alias in aliases if alias in by_lower), None)
                if match is not None:
                    by_field[field] = match
        if not by_field:
            raise UsageError(
                f"{table} has no column known to name pictures or their hashes; found: {shown}; name one with "
                f"--map path=COLUMN, --map sha256=COLUMN or --map pdq=COLUMN"
            )
        twice = next((column for column in by_field.values() if column in repeated), None)
        if twice is not None:
            raise UsageError(f"{table} names the column {twice} twice; rename one")
        return cls(by_field)

    def query(self, row: Row, places: Places) -> RowQuery:
        """The query of a row; its picture is in one of `places`."""
        location = f"row {row.number}"
        if row.problem is not None:
            return RowQuery(location, problem=("bad_row", row.problem))
        try:
            path = self._read(row, "path", lambda text: as_picture_path(text, places))
            sha256, pdq = self._read(row, "sha256", as_digest), self._read(row, "pdq", as_pdq)
        except ValueError as error:
            return RowQuery(location, problem=("bad_row", str(error)))
        if path is not None:
            return RowQuery(location, places.find(path)[0], sha256, pdq)
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


def as_picture_path(text: str, places: Places) -> PurePath:
    """A picture's path that is allowed.

    Raises:
        ValueError: it leads out of the folder, or is a web address.
    """
    if "://" in text and not text.lower().startswith("file://"):
        raise ValueError("is a web address, which is never fetched; download the picture beside the file")
    return places.path(text)


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
