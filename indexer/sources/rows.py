"""One row of a table of any format, and the limit on a table's width."""

from collections.abc import Mapping
from dataclasses import dataclass

MAX_COLUMNS = 20_000
"""Most columns of a table: more than any spreadsheet has."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `number` is counted as editors and spreadsheets do; `cells` holds what is not empty, by column.
    `problem` says why the row cannot be used, None when it can."""

    number: int
    cells: Mapping[str, str]
    problem: str | None = None
