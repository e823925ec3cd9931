"""From row queries to answered rows: threads read and decode ahead, the detector processes pictures in batches."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Lock

from indexer.enrichment.addresses import address_cells
from indexer.enrichment.answer_columns import answer_cells, error_cells
from indexer.enrichment.columns import Cell
from indexer.enrichment.rows import RowQuery
from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import sha256_hex
from indexer.search.answers import SearchOptions
from indexer.search.probe import PreparedPicture
from indexer.search.searcher import Searcher
from indexer.settings import Settings
from indexer.threads.ahead import prepared_ahead
from indexer.vocabulary import Outcome

ROWS_PER_GROUP = 256
"""Most rows of a group. Pictures are processed in the detector's batches."""

_REMEMBERED = 16
"""Pictures kept prepared, at 1.8 MB each."""
_UNSEEN = (
    "no picture beside the file, no hash, and nothing was seen at its address before; addresses are never fetched: "
    "download the picture"
)


@dataclass(frozen=True, slots=True)
class AnsweredRow:
    """The added cells of one row, one for each of `COLUMNS`. `reason` is the reason code of a row that could not be
    answered; its error cell has the message."""

    location: str
    cells: tuple[Cell, ...]
    reason: str | None = None

    @property
    def outcome(self) -> str:
        """The verdict's outcome, or `error`."""
        return "error" if self.reason is not None else str(self.cells[0])

    @property
    def error(self) -> str:
        """The message of a row that could not be answered, else empty."""
        return str(self.cells[-1] or "")


@dataclass(frozen=True, slots=True)
class _Ready:
    """A row whose picture, if it has one, was decoded and hashed."""

    query: RowQuery
    picture: PreparedPicture | None = None
    problem: tuple[str, str] | None = None


class _Recent:
    """A cache of recently prepared pictures by SHA-256: a table often repeats a picture. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pictures: OrderedDict[str, PreparedPicture] = OrderedDict()

    def get(self, sha256: str) -> PreparedPicture | None:
        with self._lock:
            if sha256 in self._pictures:
                self._pictures.move_to_end(sha256)
            return self._pictures.get(sha256)

    def put(self, sha256: str, picture: PreparedPicture) -> None:
        with self._lock:
            self._pictures[sha256] = picture
            if len(self._pictures) > _REMEMBERED:
                self._pictures.popitem(last=False)


class Asker:
    """Answers rows with one installation's searcher. `settings` gives batch size and workers."""

    def __init__(self, searcher: Searcher, settings: Settings) -> None:
        self._searcher = searcher
        self._settings = settings
        self._options = SearchOptions()
        self._recent = _Recent()

    def groups(self, queries: Iterable[RowQuery]) -> Iterator[tuple[AnsweredRow, ...]]:
        """The rows in order, in groups of at most one batch of different pictures; repeats within a group are answered
        once. A group's end depends only on the rows after the previous group, so a restart after any group gives the
        same groups, batches and numbers.

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
            sha256 = sha256_hex(data)
            if query.sha256 not in (None, sha256):
                raise ImageRejectedError(
                    "sha256_mismatch", f"the picture has SHA-256 {sha256}, not the one the row gives; correct either"
                )
            picture = self._recent.get(sha256)
            if picture is None:
                picture = self._searcher.prepare(data)
                self._recent.put(sha256, picture)
            return _Ready(query, picture)
        except ImageRejectedError as error:
            return _Ready(query, problem=(error.reason, str(error)))

    def _answer(self, group: list[_Ready]) -> tuple[AnsweredRow, ...]:
        pictures = {ready.picture.measured.facts.sha256: ready.picture for ready in group if ready.picture is not None}
        answers = self._searcher.by_pictures(list(pictures.values()), self._options)
        by_picture = {sha256: answer_cells(answer) for sha256, answer in zip(pictures, answers, strict=True)}
        absent: dict[RowQuery, AnsweredRow] = {}
        return tuple(self._row(ready, by_picture, absent) for ready in group)

    def _row(
        self,
        ready: _Ready,
        by_picture: Mapping[str | None, tuple[Cell, ...]],
        absent: dict[RowQuery, AnsweredRow],
    ) -> AnsweredRow:
        query = ready.query
        if ready.problem is not None:
            reason, message = ready.problem
            return AnsweredRow(query.location, error_cells(message), reason)
        if ready.picture is not None:
            return AnsweredRow(query.location, by_picture[ready.picture.measured.facts.sha256])
        nameless = replace(query, location="")
        if nameless not in absent:
            absent[nameless] = self._of_absent(query)
        return replace(absent[nameless], location=query.location)

    def _of_absent(self, query: RowQuery) -> AnsweredRow:
        """Answers a row without a picture: by its hashes, or else by its addresses."""
        hashed = None
        if query.sha256 is not None or query.pdq is not None:
            hashed = self._searcher.by_hashes(query.sha256, query.pdq, self._options)
        if hashed is None or hashed.verdict.outcome is Outcome.NOT_ASSESSABLE:
            seen = self._searcher.by_addresses(query.urls, self._options)
            if seen:
                return AnsweredRow(query.location, tuple(address_cells(seen)))
        if hashed is None:
            return AnsweredRow(query.location, error_cells(_UNSEEN), "not_at_hand")
        return AnsweredRow(query.location, answer_cells(hashed))


def _grouped(ready: Iterable[_Ready], pictures: int) -> Iterator[list[_Ready]]:
    group: list[_Ready] = []
    held: set[str | None] = set()
    for row in ready:
        group.append(row)
        if row.picture is not None:
            held.add(row.picture.measured.facts.sha256)
        if len(held) >= pictures or len(group) >= ROWS_PER_GROUP:
            yield group
            group, held = [], set()
    if group:
        yield group
