"""The types of added columns and of groups of columns that are filled together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from indexer.search.answers import SearchAnswer
from indexer.verdict.matches import Match

Cell = str | int | float | None


class CellKind(StrEnum):
    """What a column holds: text, whole numbers, or real numbers."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Column:
    """One added column. `of_picture`: it describes the row's own picture, and is empty if that was not read."""

    name: str
    kind: CellKind
    meaning: str
    of_picture: bool = False

    def under(self, prefix: str) -> "Column":
        """The column's name in the output, with the prefix."""
        return replace(self, name=f"{prefix}{self.name}")


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """Columns that are filled together. `cells` gives one cell a column."""

    columns: tuple[Column, ...]
    cells: Callable[[SearchAnswer], tuple[Cell, ...]]


def text(name: str, meaning: str, *, of_picture: bool = False) -> Column:
    """A column of text."""
    return Column(name, CellKind.TEXT, meaning, of_picture)


def strongest_match(answer: SearchAnswer) -> Match | None:
    """The strongest match that holds; an image that is merely near is not one."""
    return next((match for match in answer.matches if match.holds), None)


def rounded(value: float | None) -> float | None:
    """Six digits: further digits differ between machines."""
    return None if value is None else round(value, 6)
