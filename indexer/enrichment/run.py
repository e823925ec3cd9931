"""One enrichment from an input to an output, which can be killed at any moment and resumed."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter

from indexer import __version__
from indexer.enrichment.answer_columns import COLUMNS
from indexer.enrichment.answering import AnsweredRow, Asker
from indexer.enrichment.columns import Cell, Column
from indexer.enrichment.inputs.inputs import Input
from indexer.enrichment.journal import Journal
from indexer.errors import DejafakeError, SourceError, UsageError
from indexer.files.whole_files import replacing
from indexer.sources.items import printable
from indexer.workspace import Workspace

PREFIX = "dejafake_"
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class EnrichmentReport:
    """What an enrichment did. `outcomes` counts rows by their verdict's outcome, `error` for rows that could not be
    answered, which `rejected_file` lists with their reasons (None when there are none). `continued` rows were answered
    by runs before this one; `seconds` is this run's wall time."""

    rows: int
    outcomes: Mapping[str, int]
    continued: int
    output: Path
    rejected_file: Path | None
    seconds: float


class Enrichment:
    """The enrichment of one input into one output file.

    Args:
        workspace: the installation that answers.
        source: whose rows.
        output: the file to write; it appears when all rows are answered, whole.
        prefix: what the names of the added columns start with.

    Attributes:
        total: how many rows there are.
        continued: how many of them an earlier run has answered.

    Raises:
        UsageError: the output is there already or has another ending, or the input has columns of the added names.
        ConflictError: what an earlier run left behind belongs to another input, mapping, prefix or detector, or that
            run is still going on.
        SourceError: the input cannot be read to its end.
    """

    def __init__(self, workspace: Workspace, source: Input, output: Path, prefix: str = PREFIX) -> None:
        self._source = source
        self._output = output
        self._columns = added_columns(source.columns, prefix)
        _check_output(output, source.endings)
        self.total = source.count()
        self._asker = Asker(workspace.searcher, workspace.settings)
        self._journal = Journal(
            output.with_name(f"{output.name}.part"),
            {
                "input": source.identity(),
                "mapping": json.dumps(dict(source.mapping), sort_keys=True),
                "prefix": prefix,
                "detector": workspace.resolved.fingerprint,
                "version": __version__,
            },
        )
        self.continued = self._journal.rows

    def run(self, advance: Callable[[int], None] | None = None) -> EnrichmentReport:
        """Answer the remaining rows and write the output; `advance` is called with the size of each stored group.

        Raises:
            DejafakeError: the catalogue, the detector or the disk fails; the same command continues later.
        """
        started = perf_counter()
        try:
            for group in self._asker.groups(islice(self._source.queries(), self._journal.rows, None)):
                self._journal.append(group)
                if advance is not None:
                    advance(len(group))
            report = self._write(started)
        except BaseException:
            self._journal.close()
            raise
        self._journal.remove()
        return report

    def _write(self, started: float) -> EnrichmentReport:
        """Write the output from input and journal to a temporary file, then rename it: it is never half-written."""
        if self._journal.rows != self.total:
            raise SourceError(
                "the input changed while it was read: run the same command again once it no longer changes"
            )
        rejected = self._output.with_name(f"{self._output.stem}.rejected.jsonl")
        try:
            with (
                replacing(self._output) as beside,
                replacing(rejected) as listed,
                closing(_Listing(listed)) as listing,
            ):
                self._source.write(beside, self._columns, listing.pass_on(self._journal.answered()))
        except OSError as error:
            raise DejafakeError(
                f"{self._output} cannot be written ({error.strerror or error}): fix that and run the same command "
                "again; all answers are kept"
            ) from None
        return EnrichmentReport(
            rows=self.total,
            outcomes=dict(sorted(listing.outcomes.items())),
            continued=self.continued,
            output=self._output,
            rejected_file=rejected if listing.rejected else None,
            seconds=perf_counter() - started,
        )


class _Listing:
    """Counts rows on their way to the output and lists those that could not be answered."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._path = path
        self.outcomes: Counter[str] = Counter()
        self.rejected = 0

    def pass_on(self, rows: Iterator[AnsweredRow]) -> Iterator[Sequence[Cell]]:
        """The cells of each row."""
        for row in rows:
            self.outcomes[row.outcome] += 1
            if row.reason is not None:
                self.rejected += 1
                listed = {"location": row.location, "reason": row.reason, "message": row.error}
                self._file.write(json.dumps(listed) + "\n")
            yield row.cells

    def close(self) -> None:
        """Closes the list; an empty one leaves no file."""
        self._file.close()
        if not self.rejected:
            self._path.unlink(missing_ok=True)


def added_columns(taken: Sequence[str], prefix: str) -> tuple[Column, ...]:
    """The added columns under a prefix.

    Raises:
        UsageError: not a usable prefix, or a column of such a name is there already.
    """
    if not _PREFIX.fullmatch(prefix):
        raise UsageError(
            f"{printable(prefix)[:60]!r} cannot be a prefix: use letters, digits and underscores, at most 40, a letter "
            "first"
        )
    columns = tuple(column.under(prefix) for column in COLUMNS)
    names = {name.lower(): name for name in taken}
    clash = next((names[column.name.lower()] for column in columns if column.name.lower() in names), None)
    if clash is not None:
        raise UsageError(
            f"the input already has a column {printable(clash)!r}, and existing columns are never changed: choose "
            "another --prefix, or give the file it was made from"
        )
    return columns


def _check_output(output: Path, endings: Sequence[str]) -> None:
    if output.suffix.lower() not in endings:
        raise UsageError(f"the output keeps the input's format: let --out end in {' or '.join(endings)}")
    if output.exists():
        raise UsageError(f"{printable(str(output))} already exists and is not overwritten: give another --out")
    if not output.parent.is_dir():
        raise UsageError(f"there is no folder {printable(str(output.parent))} to write to: make it first")
