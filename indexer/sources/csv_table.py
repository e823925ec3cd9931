"""Reads CSV and TSV files as spreadsheets and scripts write them, and tells broken records from valid ones.

A quote that is never closed costs its own line, not the rest of the file.
"""

import csv
import re
from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import SourceError
from indexer.sources.cells import as_text
from indexer.sources.items import printable
from indexer.sources.lines import MAX_LINE, Line, lines_of
from indexer.sources.rows import MAX_COLUMNS, Row

_MOST_READ_AGAIN = 64 * 2**20
"""Most characters that are read again after unclosed quotes, before the file is given up."""
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""The line from which Excel reads the separator; not part of the table."""

csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_LINE + 1))
"""A limit of the whole process, which is 131,072 otherwise; what one record may hold is bounded here by its lines."""


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """One record of a CSV file with the lines it was read from, verbatim, without a byte order mark.

    A blank line, and Excel's `sep=` line, have no cells. `problem` says why a record cannot be trusted; its cells are
    then a guess, or none.
    """

    number: int
    cells: list[str]
    text: str
    is_header: bool = False
    problem: str | None = None


class CsvTable:
    """A CSV or TSV file with a header; UTF-8 or what its byte order mark says; separated by commas, semicolons, tabs or
    bars, as its header shows or a `sep=` line says."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self) -> tuple[str, ...]:
        """The header. A name that stands there again gets a number: `note`, `note (2)`.

        Raises:
            SourceError: there is none, or it has too many columns.
        """
        header = self._header()
        if not any(header):
            raise SourceError(f"{self._path.name} is empty; its first line must name the columns")
        if len(header) > MAX_COLUMNS:
            raise SourceError(
                f"{self._path.name} has {len(header):,} columns; at most {MAX_COLUMNS:,} are read: leave some out"
            )
        taken, names = set(header), []
        seen: Counter[str] = Counter()
        for name in header:
            seen[name] += 1
            unique = name
            while name and seen[name] > 1 and unique in taken:
                unique = f"{name} ({seen[name]})"
                seen[name] += unique in taken
            taken.add(unique)
            names.append(unique)
        return tuple(names)

    def repeated(self) -> frozenset[str]:
        """The names that occur more than once in the header."""
        return frozenset(name for name, count in Counter(self._header()).items() if name and count > 1)

    def rows(self) -> Generator[Row]:
        """All rows after the header; blank lines are left out."""
        header = self.columns()
        for record in self._below_header():
            cells = [as_text(cell) for cell in record.cells]
            if record.problem is not None:
                yield Row(record.number, {}, record.problem)
            elif any(cells[len(header) :]):
                problem = f"it has {len(cells)} cells, the header {len(header)}; quote cells with commas"
                yield Row(record.number, {}, problem)
            else:
                named = zip(header, cells, strict=False)
                yield Row(record.number, {name: cell for name, cell in named if name and cell})

    def count(self) -> int:
        """The number of rows."""
        return sum(1 for _ in self._below_header())

    def delimiter(self) -> str:
        """What separates the cells."""
        with closing(lines_of(self._path)) as lines:
            first = next((line.text for line in lines if line.text.strip()), "")
        said = _SEPARATOR_LINE.fullmatch(first.rstrip("\r\n,;\t"))
        if said is not None or first.strip().lower() in ("sep=,", "sep=;", '"sep=,"', '"sep=;"'):
            return said[1] if said else first.strip().strip('"')[-1]
        return max("\t" if self._path.suffix.lower() == ".tsv" else ",", ",", ";", "\t", "|", key=first.count)

    def records(self) -> Generator[CsvRecord]:
        """All records; the header is the first that is no blank and no `sep=` line."""
        reader = _Reader(self._path, self.delimiter())
        number, header = 0, False
        while (record := reader.record()) is not None:
            is_separator = not header and record.text.strip().strip('"').lower().startswith("sep=")
            number += not is_separator
            if is_separator or (not record.text.strip() and record.problem is None):
                yield CsvRecord(number, [], record.text)
                continue
            yield CsvRecord(number, record.cells, record.text, not header, record.problem)
            header = True

    def _header(self) -> tuple[str, ...]:
        with closing(self.records()) as records:
            header = next((record for record in records if record.is_header), None)
        if header is not None and header.problem is not None:
            raise SourceError(f"{self._path.name} has no readable header: {header.problem}")
        return tuple(printable(cell.strip().lstrip("\ufeff")) for cell in header.cells) if header else ()

    def _below_header(self) -> Iterator[CsvRecord]:
        for record in self.records():
            if not record.is_header and (record.cells or record.problem is not None):
                yield record


class _Reader:
    """Reads records from the lines of a file, and pushes back lines that did not belong to a record."""

    def __init__(self, path: Path, delimiter: str) -> None:
        self._name = path.name
        self._delimiter = delimiter
        self._lines = lines_of(path)
        self._back: deque[Line] = deque()
        self._again = 0

    def record(self) -> CsvRecord | None:
        """The next record, without its number; None at the end. Raises SourceError."""
        first = self._next()
        if first is None:
            return None
        if first.too_long:
            return CsvRecord(0, [], "", problem=f"its line is longer than {MAX_LINE:,} characters; shorten it")
        taken = [first]
        try:
            cells = next(csv.reader(self._feed(taken), delimiter=self._delimiter, strict=True), [])
            return CsvRecord(0, cells, "".join(line.text for line in taken))
        except csv.Error:
            self._give_back(taken[1:])
        return self._alone(first.text, is_last=len(taken) == 1 and self._at_end())

    def _feed(self, taken: list[Line]) -> Iterator[str]:
        """The first line, and further ones as long as a cell in quotes is open."""
        yield taken[0].text
        size = len(taken[0].text)
        while size <= MAX_LINE and (line := self._next()) is not None:
            if line.too_long:
                self._back.appendleft(line)
                return
            taken.append(line)
            size += len(line.text)
            yield line.text

    def _alone(self, text: str, *, is_last: bool) -> CsvRecord:
        """A line read leniently as a record by itself. An unclosed quote in it is a problem, except in the last line,
        where it is unambiguous."""
        body = text.rstrip("\r\n")
        try:
            read = list(csv.reader([f"{body}\n", "x\n"], delimiter=self._delimiter))
            if len(read) == 2:
                return CsvRecord(0, read[0], text)
            (cells,) = csv.reader([text if is_last else body], delimiter=self._delimiter)
            return CsvRecord(
                0, cells, text, problem=None if is_last else "a quote in it is never closed; repair that line"
            )
        except csv.Error as error:
            cells = body.replace("\r", " ").split(self._delimiter)
            return CsvRecord(0, cells, text, problem=f"it cannot be read as CSV ({error}); repair that line")

    def _at_end(self) -> bool:
        line = self._next()
        if line is not None:
            self._back.appendleft(line)
        return line is None

    def _next(self) -> Line | None:
        return self._back.popleft() if self._back else next(self._lines, None)

    def _give_back(self, lines: list[Line]) -> None:
        self._again += sum(len(line.text) for line in lines)
        if self._again > _MOST_READ_AGAIN:
            raise SourceError(f"{self._name} has too many quotes that are never closed; write it anew as CSV")
        self._back.extendleft(reversed(lines))
