"""Lists of what was left out or remarked: they grow while a command runs, and exist only if something is in them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

Row = TypeVar("Row")


class RowList(Generic[Row]):
    """A text file of rows. What is in it stays in it whatever happens to the command.

    Args:
        path: of the file, which is to be new; None writes none.
        lines: rows as the lines of the file, with their ends.
        heading: the line before the first row.
    """

    def __init__(self, path: Path | None, lines: Callable[[Iterable[Row]], str], heading: str = "") -> None:
        self._path = path
        self._lines = lines
        self._heading = heading
        self._begun = False

    @property
    def path(self) -> Path | None:
        """Where it is, None when it was never begun."""
        return self._path if self._begun else None

    def add(self, rows: Iterable[Row]) -> None:
        """Appends rows.

        Raises:
            OSError: the file cannot be written.
        """
        text = self._lines(rows)
        if self._path is None or not text:
            return
        if not self._begun:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a" if self._begun else "x", newline="", encoding="utf-8") as file:
            file.write(text if self._begun else self._heading + text)
        self._begun = True
