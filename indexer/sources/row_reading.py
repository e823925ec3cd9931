"""Reads the fields of a manifest's row. A cell that cannot be read never costs the picture: it is kept as text, with
a remark."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from indexer.sightings import SIGHTING_FIELDS, NewSighting, SightingKind
from indexer.sources.cells import MAX_CELL, as_sha256, as_technique, as_url
from indexer.sources.items import MAX_NAME, Remark, printable
from indexer.sources.times import AmbiguousTimeError, DateOrder, as_time, is_days, is_unlikely
from indexer.vocabulary import Technique

T = TypeVar("T")


class RowReader:
    """Reads the fields of one row, once each.

    Attributes:
        columns: the column that each field is read from, where the row has one.
        whole: the cells, unchanged.
        cells: the same, long ones cut.
        remarks: about values that were not taken verbatim.
        taken: the columns whose cell was understood and is not kept as text.
        unknown_technique: a word for a technique that is not in the vocabulary.
    """

    def __init__(self, cells: Mapping[str, str], columns: Mapping[str, str]) -> None:
        self.columns = columns
        self.whole = cells
        self.cells = {column: text[:MAX_CELL] for column, text in cells.items()}
        self.remarks = [
            Remark(
                "text_cut",
                f"column {printable(column)[:60]}: the first {MAX_CELL:,} of {len(text):,} characters kept",
            )
            for column, text in cells.items()
            if len(text) > MAX_CELL
        ]
        self.taken: set[str] = set()
        self.unknown_technique: str | None = None

    def left_over(self) -> dict[str, str]:
        """The cells that were not understood or not used."""
        return {column: text for column, text in self.cells.items() if column not in self.taken}

    def text(self, field: str) -> str | None:
        """Free text, cut if it is long."""
        column = self.columns.get(field)
        if column is None:
            return None
        self.taken.add(column)
        return self.cells[column]

    def technique(self) -> Technique:
        """The technique; `unknown` for a word that is not in the vocabulary."""
        technique = self._understood("technique", as_technique, "technique_not_known")
        if technique is None and "technique" in self.columns:
            self.unknown_technique = self.cells[self.columns["technique"]]
        return technique or Technique.UNKNOWN

    def name(self, field: str) -> str | None:
        """A name of a generator or platform."""
        return self._understood(field, as_name, "name_too_long")

    def names(self, field: str) -> tuple[str, ...]:
        """Several names separated by semicolons, in order and once each; those that are too long are left out."""
        column = self.columns.get(field)
        if column is None:
            return ()
        named = dict.fromkeys(name.strip() for name in self.whole[column].split(";") if name.strip())
        short = tuple(name for name in named if len(name) <= MAX_NAME)
        self.taken.add(column)
        if len(short) < len(named):
            self._understood(field, as_name, "name_too_long")
            self.taken.discard(column)
        return short

    def digest(self, field: str) -> str | None:
        """A SHA-256."""
        return self._understood(field, as_sha256, "sha256_not_read")

    def sighting(self, order: Callable[[], DateOrder | None]) -> NewSighting | None:
        """Where the picture was seen; None if the row does not say."""
        seen = {name: self._seen(name, field.kind, order) for name, field in SIGHTING_FIELDS.items()}
        sighting = NewSighting(**seen)
        return None if sighting == NewSighting() else sighting

    def _seen(self, field: str, kind: SightingKind, order: Callable[[], DateOrder | None]) -> Any:
        match kind:
            case SightingKind.ADDRESS:
                return self._understood(field, as_url, "address_not_read")
            case SightingKind.NAME:
                return self.name(field)
            case SightingKind.TIME:
                return self._posted_at(order)
            case _:
                return self.text(field)

    def _posted_at(self, order: Callable[[], DateOrder | None]) -> datetime | None:
        def read(text: str) -> datetime:
            try:
                return as_time(text)
            except AmbiguousTimeError:
                return as_time(text, order())

        moment = self._understood("posted_at", read, "time_not_read")
        if moment is None:
            return None
        text = self.cells[self.columns["posted_at"]]
        where = self._where(self.columns["posted_at"])
        if is_unlikely(moment, datetime.now(UTC)):
            self.remarks.append(
                Remark("time_unlikely", f"{where} lies before 1970 or in the future; kept all the same")
            )
        elif is_days(text):
            self.remarks.append(Remark("time_from_days", f"{where} read as days since 1900: {moment:%Y-%m-%d}"))
        return moment

    def _understood(self, field: str, convert: Callable[[str], T], kind: str) -> T | None:
        """The value of a cell; None if it is empty or cannot be read, then with a remark of this kind."""
        column = self.columns.get(field)
        if column is None:
            return None
        try:
            value = convert(self.whole[column])
        except ValueError as error:
            kind = "time_ambiguous" if isinstance(error, AmbiguousTimeError) else kind
            self.remarks.append(Remark(kind, f"{self._where(column)} {error}; kept as text"))
            return None
        self.taken.add(column)
        return value

    def _where(self, column: str) -> str:
        return f"column {printable(column)[:60]}: '{printable(self.cells[column][:80])}'"


def as_name(text: str) -> str:
    """A name of a generator, platform or collection.

    Raises:
        ValueError: longer than 200 characters.
    """
    if len(text) > MAX_NAME:
        raise ValueError(f"is longer than the {MAX_NAME} characters a name may have")
    return text
