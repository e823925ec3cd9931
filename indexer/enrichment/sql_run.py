"""The enrichment of an SQL table; it goes on with whatever rows have no answer yet."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from indexer.enrichment.asking import Asker
from indexer.enrichment.mapping import ColumnMapping
from indexer.enrichment.rows import RowQuery
from indexer.enrichment.run import PREFIX, added_columns
from indexer.enrichment.sql_tables import AnsweredTable, Database
from indexer.errors import UsageError
from indexer.imaging.limits import ImageLimits
from indexer.sources.items import printable
from indexer.workspace import Workspace

SUFFIX = "_dejafake"
"""What the name of the answers' own table ends with, unless another is given."""


@dataclass(frozen=True, slots=True)
class SqlTarget:
    """What of which database is enriched. `into` names the table for the answers (None: the table's name and
    `_dejafake`); `in_place` puts them into columns of the table itself instead. `pictures` is the folder that paths are
    relative to; without it rows are searched by their hashes alone."""

    url: str
    table: str
    key: str
    into: str | None = None
    in_place: bool = False
    pictures: Path | None = None


@dataclass(frozen=True, slots=True)
class SqlReport:
    """What one run did: how many rows it answered, by outcome (`error` for those that could not be), and where to."""

    rows: int
    outcomes: Mapping[str, int]
    output: str
    seconds: float


class SqlEnrichment:
    """The enrichment of one table.

    Args:
        workspace: the installation that answers.
        target: whose rows, and where the answers go.
        mapping: columns by field; empty to have them guessed by their names.
        prefix: what the names of the added columns start with.

    Attributes:
        mapping: the column each field is read from.
        total: how many rows had no answer when this began.

    Raises:
        UsageError, NotFoundError: the table, its key, the mapping or the place for the answers do not fit.
        DejafakeError: the database refuses.
    """

    def __init__(self, workspace: Workspace, target: SqlTarget, given: Mapping[str, str], prefix: str = PREFIX) -> None:
        if target.into is not None and target.in_place:
            raise UsageError("answers go into a table of their own or into columns: give --into or --columns, not both")
        self._target = target
        self._limits = ImageLimits.from_settings(workspace.settings)
        self._asker = Asker(workspace.searcher, workspace.settings)
        self._into = None if target.in_place else target.into or f"{target.table}{SUFFIX}"
        self._database = Database(target.url)
        try:
            columns = added_columns((), prefix)
            self._table = AnsweredTable(self._database, target.table, target.key, self._into, columns)
            self._mapping = _mapping(self._table.names, given, target)
            self.mapping: Mapping[str, str] = self._mapping.by_field
            self._table.open_answers()
            self.total = self._table.remaining()
        except BaseException:
            self._database.close()
            raise

    def run(self, advance: Callable[[int], None] | None = None) -> SqlReport:
        """Answers every row that has no answer, a group a transaction; `advance` hears of each that is written.

        Raises:
            DejafakeError: the catalogue, the detector or the database fails; running again goes on.
        """
        started, outcomes = perf_counter(), Counter[str]()
        waiting: deque[Any] = deque()
        try:
            for group in self._asker.groups(self._asked(waiting)):
                self._table.write([(waiting.popleft(), row.cells) for row in group])
                outcomes.update(row.outcome for row in group)
                if advance is not None:
                    advance(len(group))
        finally:
            self._database.close()
        return SqlReport(
            rows=outcomes.total(),
            outcomes=dict(sorted(outcomes.items())),
            output=self._into or self._target.table,
            seconds=perf_counter() - started,
        )

    def _asked(self, waiting: deque[Any]) -> Iterator[RowQuery]:
        """The rows' questions; their keys wait in the same order."""
        folder = None if self._target.pictures is None else self._target.pictures.resolve()
        for one in self._table.queries(self._mapping, folder, self._limits):
            waiting.append(one.key)
            yield one.query


def _mapping(names: list[str], given: Mapping[str, str], target: SqlTarget) -> ColumnMapping:
    if "path" in given and target.pictures is None:
        raise UsageError("paths in a database are relative to a folder: name it with --pictures FOLDER")
    if target.pictures is not None and not target.pictures.is_dir():
        raise UsageError(f"there is no folder {printable(str(target.pictures))} of pictures: check --pictures")
    found = ColumnMapping.find(names, given, target.table)
    if target.pictures is not None:
        return found
    hashes = {field: column for field, column in found.by_field.items() if field != "path"}
    if not hashes:
        raise UsageError(
            f"{target.table} has paths of pictures in {found.by_field['path']}: name the folder they are relative to "
            "with --pictures FOLDER"
        )
    return ColumnMapping(hashes)
