"""What each column of a manifest means, and a row as a picture with its labels and sighting."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from indexer.errors import SourceError
from indexer.sightings import SIGHTING_FIELDS
from indexer.sources.items import SourceItem, printable
from indexer.sources.label_words import TABLE_ONLY, LabelWords, StatedWord
from indexer.sources.places import Places
from indexer.sources.row_reading import RowReader
from indexer.sources.times import DateOrder
from indexer.sources.word_table import FLAG_COLUMNS

KNOWN_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file", "image", "filename", "file_name", "filepath", "image_path"),
    "label": ("label", *FLAG_COLUMNS),
    "technique": ("technique",),
    "generator": ("generator",),
    "reason": ("reason", "label_reason"),
    **{name: (name, *field.aliases) for name, field in SIGHTING_FIELDS.items()},
    "sha256": ("sha256",),
    "collection": ("collection", "collections"),
}
"""The fields of a manifest and the column names they are found under; the first that exists counts. Case does not
matter. A `collection` cell may name several, separated by semicolons."""


class BadRowError(Exception):
    """A row that names no file; the message names the column and says what is wrong."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns each field is read from: the first of them that a row has. The others are kept with the image.

    `fixed`: every row has the same columns in the same spelling; if not (JSON Lines), case does not matter.
    """

    by_field: Mapping[str, tuple[str, ...]]
    words: LabelWords = TABLE_ONLY
    fixed: bool = True

    @classmethod
    def find(
        cls,
        names: Iterable[str],
        mapping: Mapping[str, str] | None,
        manifest: str,
        *,
        fixed: bool,
        words: LabelWords = TABLE_ONLY,
        repeated: Collection[str] = (),
    ) -> "Columns":
        """The columns of a manifest with these names. `mapping` (field to column) overrides the known names, `words`
        the table of label words.

        `fixed` is false where later rows may have columns that are not among `names` (JSON lines).

        Raises:
            SourceError: no column for the picture files, an unknown field or a missing column in `mapping`, or a column
                to be read occurs twice (`repeated`).
        """
        named = [name for name in names if name]
        shown = ", ".join(printable(name)[:60] for name in named[:30]) or "none"
        by_lower = {name.lower(): name for name in reversed(named)}
        by_field: dict[str, tuple[str, ...]] = {}
        for field, column in (mapping or {}).items():
            if field not in KNOWN_COLUMNS:
                raise SourceError(f"there is no field {field!r} to map a column to; fields: {', '.join(KNOWN_COLUMNS)}")
            if column.lower() not in by_lower:
                raise SourceError(f"{manifest} has no column {column!r}; found: {shown}")
            by_field[field] = (column if column in named else by_lower[column.lower()],)
        by_hand = {column for columns in by_field.values() for column in columns}
        for field, aliases in KNOWN_COLUMNS.items():
            known = [by_lower[alias] for alias in aliases if alias in by_lower]
            if field in by_field or (not known and (fixed or field == "path")):
                continue
            others = [name for name in known[1:] if name not in repeated]
            later = [alias for alias in aliases if not fixed and alias not in by_lower]
            by_field[field] = tuple(name for name in (*known[:1], *others, *later) if name not in by_hand)
        if not by_field.get("path"):
            raise SourceError(
                f"{manifest} has no column for the picture files; expected one of "
                f"{', '.join(KNOWN_COLUMNS['path'])}; found: {shown}; name it with --map path=COLUMN"
            )
        twice = next((columns[0] for columns in by_field.values() if columns and columns[0] in repeated), None)
        if twice is not None:
            raise SourceError(f"{manifest} names the column {twice} twice; rename one")
        return cls(by_field, words, fixed)

    def item(
        self,
        cells: Mapping[str, str],
        source: str,
        places: Places,
        order: Callable[[], DateOrder | None],
    ) -> SourceItem:
        """The picture a row describes. `cells` holds no empty ones; `places` is where its files are, `order` how dates
        in numbers are written, asked for only when it matters.

        What describes the picture never costs it: a cell that cannot be read stays as text among the fields, and a text
        that is too long is cut; the remarks say so.

        Raises:
            BadRowError: the row names no picture file that could be looked for.
        """
        row = RowReader(cells, self._columns_of(cells))
        path = _path(row, self.by_field["path"][0], places)
        read, renamed = places.find(path)
        if renamed is not None:
            row.remarks.append(renamed)
        word = self._word(row)
        return SourceItem(
            source=source,
            location=printable(str(path)),
            read=read,
            word=word,
            value=None if word is None else word.value,
            technique=row.technique(),
            generator=row.name("generator"),
            label_reason=row.text("reason"),
            sighting=row.sighting(order),
            expected_sha256=row.digest("sha256"),
            collections=row.names("collection"),
            fields=row.left_over() | self._as_stated(row, word),
            remarks=tuple(row.remarks),
            unknown_technique=row.unknown_technique,
        )

    def _word(self, row: RowReader) -> StatedWord | None:
        text = row.text("label")
        return None if text is None else self.words.read(text, row.columns["label"])

    def _as_stated(self, row: RowReader, word: StatedWord | None) -> dict[str, str]:
        """The cells to keep as they stand: a word that is not the label's own name, and where it gives no label, what
        was said of how the picture was made."""
        if word is None or word.is_plain:
            return {}
        fields = ("label",) if word.value is not None else ("label", "technique", "generator", "reason")
        columns = [row.columns[field] for field in fields if field in row.columns]
        return {column: row.cells[column] for column in columns}

    def _columns_of(self, cells: Mapping[str, str]) -> dict[str, str]:
        """The column that a row has for each field."""
        spelled = {} if self.fixed else {name.lower(): name for name in reversed(list(cells))}
        by_field: dict[str, str] = {}
        for field, columns in self.by_field.items():
            names = (name if name in cells else spelled.get(name.lower()) for name in columns)
            column = next((name for name in names if name is not None and name in cells), None)
            if column is not None:
                by_field[field] = column
        return by_field


def _path(row: RowReader, expected: str, places: Places) -> PurePath:
    """The path of a row's picture. Raises BadRowError."""
    column = row.columns.get("path")
    if column is None:
        raise BadRowError(f"column {expected}: empty; it must name a picture file")
    row.taken.add(column)
    try:
        return places.path(row.whole[column])
    except ValueError as error:
        raise BadRowError(f"column {printable(column)[:60]}: '{printable(row.whole[column][:80])}' {error}") from None
