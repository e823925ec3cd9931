"""From what rows ask with to answered rows: threads read and decode ahead, the detector takes pictures in batches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from indexer.answers import SearchAnswer, SearchOptions
from indexer.enrichment.answer_columns import Cell, answer_cells, error_cells
from indexer.enrichment.rows import RowQuery
from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import sha256_hex
from indexer.prefetch import prepared_ahead
from indexer.probing import PreparedPicture
from indexer.search import Searcher
from indexer.settings import Settings

ROWS_PER_GROUP = 256
"""Most rows that are answered before what was answered is handed on; pictures come in batches of the detector."""


@dataclass(frozen=True, slots=True)
class AnsweredRow:
    """The added cells of one row, one for each of `COLUMNS`. `reason` is the slug of a row that could not be answered,
    whose error cell says why."""

    location: str
    cells: tuple[Cell, ...]
    reason: str | None = None

    @property
    def outcome(self) -> str:
        """The verdict's outcome, or `error`."""
        return "error" if self.reason is not None else str(self.cells[0])

    @property
    def error(self) -> str:
        """Why it could not be answered; empty when it could."""
        return str(self.cells[-1] or "")


@dataclass(frozen=True, slots=True)
class _Ready:
    """A row whose picture, if it has one, was decoded and hashed."""

    query: RowQuery
    picture: PreparedPicture | None = None
    problem: tuple[str, str] | None = None


class Asker:
    """Answers rows with one installation's searcher. `settings` gives batch size and workers."""

    def __init__(self, searcher: Searcher, settings: Settings) -> None:
        self._searcher = searcher
        self._settings = settings
        self._options = SearchOptions()

    def groups(self, queries: Iterable[RowQuery]) -> Iterator[tuple[AnsweredRow, ...]]:
        """The rows in their order, in groups of at most one batch of pictures.

        Where a group ends follows from the rows after the end of the one before alone: whoever starts again at the end
        of a group gets the same groups, and so the same batches and the same numbers.

        Raises:
            DejafakeError: the catalogue, the index or the detector fails; a bad row is an answer and never raises.
        """
        workers, batch = self._settings.decode_workers, self._settings.batch_size
        ready = prepared_ahead(self._prepare, queries, workers=workers, window=workers + 2 * batch)
        for group in _grouped(ready, batch):
            yield self._answer(group)

    def _prepare(self, query: RowQuery) -> _Ready:
        if query.problem is not None or query.read is None:
            return _Ready(query, problem=query.problem)
        try:
            data = query.read()
            if query.sha256 is not None and (sha256 := sha256_hex(data)) != query.sha256:
                raise ImageRejectedError(
                    "sha256_mismatch", f"the picture has SHA-256 {sha256}, not the one the row gives; correct either"
                )
            return _Ready(query, self._searcher.prepare(data))
        except ImageRejectedError as error:
            return _Ready(query, problem=(error.reason, str(error)))

    def _answer(self, group: list[_Ready]) -> tuple[AnsweredRow, ...]:
        pictures = [ready.picture for ready in group if ready.picture is not None]
        by_picture = iter(self._searcher.by_pictures(pictures, self._options))
        return tuple(self._row(ready, by_picture) for ready in group)

    def _row(self, ready: _Ready, by_picture: Iterator[SearchAnswer]) -> AnsweredRow:
        query = ready.query
        if ready.problem is not None:
            reason, message = ready.problem
            return AnsweredRow(query.location, error_cells(message), reason)
        if ready.picture is not None:
            return AnsweredRow(query.location, answer_cells(next(by_picture)))
        return AnsweredRow(
            query.location, answer_cells(self._searcher.by_hashes(query.sha256, query.pdq, self._options))
        )


def _grouped(ready: Iterable[_Ready], pictures: int) -> Iterator[list[_Ready]]:
    group: list[_Ready] = []
    held = 0
    for row in ready:
        group.append(row)
        held += row.picture is not None
        if held >= pictures or len(group) >= ROWS_PER_GROUP:
            yield group
            group, held = [], 0
    if group:
        yield group
