"""The enrichment of an SQL table: answers the rows that have no answer yet."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from indexer.enrichment.answering import Asker
from indexer.enrichment.mapping import ColumnMapping
from indexer.enrichment.rows import RowQuery
from indexer.enrichment.run import PREFIX, added_columns
from indexer.enrichment.sql.tables import AnsweredTable, Database
from indexer.errors import UsageError
from indexer.imaging.limits import ImageLimits
from indexer.sources.items import printable
from indexer.sources.places import Places
from indexer.workspace import Workspace

SUFFIX = "_dejafake"
"""The default suffix of the table of answers."""


@dataclass(frozen=True, slots=True)
class SqlTarget:
    """Which table of which database is enriched. `into` names the table for the answers (None: the table's name and
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
        mapping: columns by field; empty to guess them by their names.
        prefix: what the names of the added columns start with.

    Attributes:
        mapping: the column each field is read from.
        total: the number of rows without an answer at the start.

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
        """Answer every row that has no answer, one transaction per group; `advance` is called with each group's size.

        Raises:
            DejafakeError: the catalogue, the detector or the database fails; the next run continues.
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
        """The queries of the rows; `waiting` gets their keys in the same order."""
        places = Places(self._target.pictures or Path(), self._limits)
        for row in self._table.queries(self._mapping, places):
            waiting.append(row.key)
            yield row.query


def _mapping(names: list[str], given: Mapping[str, str], target: SqlTarget) -> ColumnMapping:
    if "path" in given and target.pictures is None:
        raise UsageError("paths in a database are relative to a folder: name it with --pictures FOLDER")
    if target.pictures is not None and not target.pictures.is_dir():
        raise UsageError(f"there is no folder {printable(str(target.pictures))} of pictures: check --pictures")
    mapping = ColumnMapping.find(names, given, target.table)
    if target.pictures is not None:
        return mapping
    hashes = {field: column for field, column in mapping.by_field.items() if field != "path"}
    if not hashes:
        raise UsageError(
            f"{target.table} has paths of pictures in {mapping.by_field['path']}: name the folder they are relative to "
            "with --pictures FOLDER"
        )
    return ColumnMapping(hashes)
