"""Answers the jobs of the catalogue one after the other, continuing where the last worker stopped."""

import os
import re
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from indexer.catalog import jobs
from indexer.catalog.database import Catalog
from indexer.catalog.records.jobs import JobAnswer, JobItem
from indexer.enrichment.answer_columns import COLUMNS
from indexer.enrichment.answering import AnsweredRow, Asker
from indexer.enrichment.inputs.questions import NOTHING_TO_SEARCH
from indexer.enrichment.row_answer import gravest
from indexer.enrichment.rows import RowQuery
from indexer.errors import DejafakeError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits

_PAGE = 256
_PIECE = 2**20
TRIES = 3
"""How often a job is tried without a new answer, over all processes, until it ends as failed."""
_WHY = (
    f"the server failed {TRIES} times in a row to answer the next rows, for a reason that its log tells; the answers "
    "before them are kept: send the remaining rows again, or fewer at a time"
)
_JOB = re.compile(r"job_[0-9a-f]{24}")


class JobFiles:
    """The uploaded pictures of jobs that are not finished: a folder a job, a file a row, named by its position."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, job_id: str, position: int, picture: BinaryIO) -> None:
        """Store a picture in pieces, before its job is in the catalogue.

        Raises:
            DejafakeError: the disk cannot be written.
        """
        try:
            self._root.joinpath(job_id).mkdir(parents=True, exist_ok=True)
            with self.path(job_id, position).open("wb") as kept:
                shutil.copyfileobj(picture, kept, _PIECE)
        except OSError as error:
            raise DejafakeError(f"{self._root} cannot be written ({error.strerror or error}): check the disk") from None

    def path(self, job_id: str, position: int) -> Path:
        """Where a picture is."""
        return self._root / job_id / str(position)

    def delete(self, job_id: str) -> None:
        """Delete the pictures of a job."""
        shutil.rmtree(self._root / job_id, ignore_errors=True)

    def untouched_since(self, moment: datetime) -> list[str]:
        """The jobs whose folder was last written before `moment`."""
        idle = []
        with suppress(FileNotFoundError), os.scandir(self._root) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another process forgets it just now
                    named = _JOB.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
                    if named and entry.stat(follow_symlinks=False).st_mtime < moment.timestamp():
                        idle.append(entry.name)
        return sorted(idle)


class JobRunner:
    """A worker on the jobs of one catalogue. Several may share it, also in other processes: each job has one at a time.

    Args:
        catalog: where the jobs are.
        asker: answers their rows.
        files: where their pictures are.
        limits: bounds on every picture.
    """

    def __init__(self, catalog: Catalog, asker: Asker, files: JobFiles, limits: ImageLimits) -> None:
        self._catalog = catalog
        self._asker = asker
        self._files = files
        self._limits = limits
        self._worker = token_hex(8)

    def work(self, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Takes the oldest unfinished job and answers it to its end, or until `stopping`; it then stays for others.

        Returns:
            Whether there was one.

        Raises:
            Exception: whatever failed, for the log. The job is tried again, `TRIES` times in all without an answer
                more, and then ends as failed.
        """
        with self._catalog.reading() as session:
            if not jobs.to_do(session):
                return False
        with self._catalog.writing() as session:
            hopeless = jobs.give_up(session, TRIES, _WHY)  # tried by processes that died
            job_id = jobs.claim(session, self._worker)
        for abandoned in hopeless:
            self._files.delete(abandoned)
        if job_id is None:
            return bool(hopeless)
        try:
            self._answer(job_id, stopping)
        except Exception:
            self._give_back(job_id)
            raise
        with self._catalog.writing() as session:
            jobs.release(session, job_id, self._worker)
            over = jobs.is_over(session, job_id)
        if over:
            self._files.delete(job_id)
        return True

    def _answer(self, job_id: str, stopping: Callable[[], bool]) -> None:
        """Answer until the last row, until `stopping`, or until the job is no longer this worker's (deleted, say)."""
        waiting: deque[tuple[JobItem, int]] = deque()
        rows: list[AnsweredRow] = []
        for group in self._asker.groups(self._queries(job_id, waiting)):
            answers: list[JobAnswer] = []
            for row in group:
                rows.append(row)
                item, questions = waiting[0]
                if len(rows) == questions:
                    answers.append(_answer_of(item, rows))
                    waiting.popleft()
                    rows = []
            with self._catalog.writing() as session:
                held = jobs.store(session, job_id, self._worker, answers)
            if not held or stopping():
                return

    def _queries(self, job_id: str, waiting: deque[tuple[JobItem, int]]) -> Iterator[RowQuery]:
        """The queries of the rows without an answer; `waiting` gets these rows in the same order, with their numbers of
        queries."""
        after = -1
        while True:
            with self._catalog.reading() as session:
                page: Sequence[JobItem] = jobs.pending(session, job_id, after, _PAGE)
            if not page:
                return
            for item in page:
                asked = self._asked(job_id, item)
                waiting.append((item, len(asked)))
                yield from asked
            after = page[-1].position

    def _asked(self, job_id: str, item: JobItem) -> list[RowQuery]:
        if item.questions is not None:
            asked = [RowQuery(item.name, None, question.sha256, urls=question.urls) for question in item.questions]
            return asked or [RowQuery(item.name, problem=NOTHING_TO_SEARCH)]
        if item.uploaded:
            picture = self._files.path(job_id, item.position)
            return [RowQuery(item.name, partial(read_bytes, picture, self._limits), item.sha256)]
        return [RowQuery(item.name, None, item.sha256, item.pdq)]

    def _give_back(self, job_id: str) -> None:
        with self._catalog.writing() as session:
            jobs.release(session, job_id, self._worker, failed=True)
            hopeless = jobs.give_up(session, TRIES, _WHY)
        for abandoned in hopeless:
            self._files.delete(abandoned)


def _answer_of(item: JobItem, rows: Sequence[AnsweredRow]) -> JobAnswer:
    """The gravest answer to a row's questions."""
    said = gravest([row.cells for row in rows])
    reason = next(row.reason for row in rows if row.cells is said)
    cells = {column.name: cell for column, cell in zip(COLUMNS, said, strict=True)}
    return JobAnswer(item.position, item.name, reason, cells)
