"""Which column of a manifest means what, and a row of it as a picture with what is said about it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeVar

from indexer.errors import SourceError
from indexer.sources.cells import MAX_CELL, as_label, as_sha256, as_technique, as_time, as_url
from indexer.sources.items import MAX_NAME, MAX_PATH, SightingClaim, SourceItem, printable
from indexer.vocabulary import Technique

T = TypeVar("T")

KNOWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file", "image", "filename", "file_name", "filepath", "image_path"),
    "label": ("label",),
    "technique": ("technique",),
    "generator": ("generator",),
    "reason": ("reason", "label_reason"),
    "url": ("url",),
    "archive_url": ("archive_url",),
    "platform": ("platform",),
    "account": ("account",),
    "posted_at": ("posted_at", "date"),
    "caption": ("caption",),
    "language": ("language",),
    "claim": ("claim",),
    "sha256": ("sha256",),
    "collection": ("collection", "collections"),
}
"""The fields of a manifest and the columns they are read from by themselves, the first that is there. Case does not
matter. A `collection` cell may name several, separated by semicolons."""


class BadRowError(Exception):
    """A row that cannot be used; the message names the column and says what is wrong."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns each field is read from: the first of them that a row has. The others are kept with the image."""

    by_field: Mapping[str, tuple[str, ...]]

    @classmethod
    def find(cls, names: Iterable[str], mapping: Mapping[str, str] | None, manifest: str, *, fixed: bool) -> "Columns":
        """Settles the columns of a manifest that has these; `mapping` (field to column) goes before the known names.

        `fixed` is false where later rows may have columns the first has not (JSON lines).

        Raises:
            SourceError: no column for the picture files, an unknown field or a missing column in `mapping`.
        """
        found = [name for name in names if name]
        shown = ", ".join(printable(name)[:60] for name in found[:30]) or "none"
        by_lower = {name.lower(): name for name in reversed(found)}
        by_field: dict[str, tuple[str, ...]] = {}
        for field, column in (mapping or {}).items():
            if field not in KNOWN_COLUMNS:
                raise SourceError(f"there is no field {field!r} to map a column to; fields: {', '.join(KNOWN_COLUMNS)}")
            if column.lower() not in by_lower:
                raise SourceError(f"{manifest} has no column {column!r}; found: {shown}")
            by_field[field] = (column if column in found else by_lower[column.lower()],)
        for field, aliases in KNOWN_COLUMNS.items():
            known = tuple(by_lower[alias] for alias in aliases if alias in by_lower)[:1]
            if known or (not fixed and field != "path"):
                by_field.setdefault(field, known or aliases)
        if "path" not in by_field:
            raise SourceError(
                f"{manifest} has no column for the picture files; expected one of "
                f"{', '.join(KNOWN_COLUMNS['path'])}; found: {shown}; name it with --map path=COLUMN"
            )
        return cls(by_field)

    def item(
        self, cells: Mapping[str, str], source: str, reader: Callable[[PurePosixPath], Callable[[], bytes]]
    ) -> SourceItem:
        """The picture a row describes. `cells` holds no empty ones; `reader` gives what reads a relative path.

        Raises:
            BadRowError: a cell that cannot be understood, or is too long.
        """
        for column, text in cells.items():
            if len(text) > MAX_CELL:
                raise BadRowError(f"column {printable(column)[:60]}: longer than {MAX_CELL:,} characters")
        path = self._read(cells, "path", as_relative_path)
        if path is None:
            raise BadRowError(f"column {self.by_field['path'][0]}: empty; it must name a picture file")
        used = {column for columns in self.by_field.values() for column in columns}
        return SourceItem(
            source=source,
            location=printable(str(path)),
            read=reader(path),
            value=self._read(cells, "label", as_label),
            technique=self._read(cells, "technique", as_technique) or Technique.UNKNOWN,
            generator=self._read(cells, "generator", as_name),
            label_reason=self._read(cells, "reason", str),
            sighting=self._sighting(cells),
            expected_sha256=self._read(cells, "sha256", as_sha256),
            collections=self._read(cells, "collection", as_names) or (),
            fields={column: text for column, text in cells.items() if column not in used},
        )

    def _sighting(self, cells: Mapping[str, str]) -> SightingClaim | None:
        claim = SightingClaim(
            url=self._read(cells, "url", as_url),
            archive_url=self._read(cells, "archive_url", as_url),
            platform=self._read(cells, "platform", as_name),
            account=self._read(cells, "account", str),
            posted_at=self._read(cells, "posted_at", as_time),
            caption=self._read(cells, "caption", str),
            language=self._read(cells, "language", str),
            claim=self._read(cells, "claim", str),
        )
        return None if claim == SightingClaim() else claim

    def _read(self, cells: Mapping[str, str], field: str, convert: Callable[[str], T]) -> T | None:
        column = next((column for column in self.by_field.get(field, ()) if column in cells), None)
        if column is None:
            return None
        try:
            return convert(cells[column])
        except ValueError as error:
            raise BadRowError(f"column {printable(column)[:60]}: '{printable(cells[column][:80])}' {error}") from None


def as_relative_path(text: str) -> PurePosixPath:
    """A path inside the manifest's folder; Windows separators are understood.

    Raises:
        ValueError: absolute, climbing out with `..`, or too long.
    """
    if len(text) > MAX_PATH:
        raise ValueError(f"is longer than the {MAX_PATH:,} characters a path may have")
    path = PurePosixPath(text.replace("\\", "/"))
    if path.is_absolute() or PureWindowsPath(text).drive or ".." in path.parts or not path.name:
        raise ValueError("is not a path inside the manifest's folder")
    return path


def as_name(text: str) -> str:
    """A name of a generator, platform or collection.

    Raises:
        ValueError: longer than 200 characters.
    """
    if len(text) > MAX_NAME:
        raise ValueError(f"is longer than the {MAX_NAME} characters a name may have")
    return text


def as_names(text: str) -> tuple[str, ...]:
    """Several names separated by semicolons, in order and once each.

    Raises:
        ValueError: one is too long.
    """
    return tuple(dict.fromkeys(as_name(name.strip()) for name in text.split(";") if name.strip()))
