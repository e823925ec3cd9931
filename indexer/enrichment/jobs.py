"""Answering the jobs of the catalogue, one after the other, wherever the last worker left them."""

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

from indexer.catalog import jobs
from indexer.catalog.database import Catalog
from indexer.catalog.job_records import JobAnswer, JobItem
from indexer.enrichment.answer_columns import COLUMNS
from indexer.enrichment.asking import AnsweredRow, Asker
from indexer.enrichment.rows import RowQuery
from indexer.errors import DejafakeError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits

_PAGE = 256
_TRIES = 3
_JOB = re.compile(r"job_[0-9a-f]{24}")


class JobFiles:
    """The uploaded pictures of jobs that are not finished: a folder a job, a file a row, named by its position."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, job_id: str, position: int, data: bytes) -> None:
        """Keeps a picture; before its job is known to the catalogue.

        Raises:
            DejafakeError: the disk does not take it.
        """
        try:
            self._root.joinpath(job_id).mkdir(parents=True, exist_ok=True)
            self.path(job_id, position).write_bytes(data)
        except OSError as error:
            raise DejafakeError(f"{self._root} cannot be written ({error.strerror or error}): mend the disk") from None

    def path(self, job_id: str, position: int) -> Path:
        """Where a picture is."""
        return self._root / job_id / str(position)

    def delete(self, job_id: str) -> None:
        """Forgets the pictures of a job."""
        shutil.rmtree(self._root / job_id, ignore_errors=True)

    def untouched_since(self, moment: datetime) -> list[str]:
        """The jobs whose folder was last written to before `moment`."""
        found = []
        with suppress(FileNotFoundError), os.scandir(self._root) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another process forgets it just now
                    named = _JOB.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
                    if named and entry.stat(follow_symlinks=False).st_mtime < moment.timestamp():
                        found.append(entry.name)
        return sorted(found)


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
        self._failures: dict[str, int] = {}

    def work(self, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Takes the oldest unfinished job and answers it to its end, or until `stopping`; it then stays for others.

        Returns:
            Whether there was one.

        Raises:
            DejafakeError: the catalogue, the index or the detector fails. The job is tried again, three times in all,
                and then finished as failed.
        """
        with self._catalog.reading() as session:
            if not jobs.to_do(session):
                return False
        with self._catalog.writing() as session:
            job_id = jobs.claim(session, self._worker)
        if job_id is None:
            return False
        try:
            self._answer(job_id, stopping)
        except DejafakeError:
            self._give_back(job_id)
            raise
        self._failures.pop(job_id, None)
        with self._catalog.writing() as session:
            jobs.release(session, job_id, self._worker)
            over = jobs.is_over(session, job_id)
        if over:
            self._files.delete(job_id)
        return True

    def _answer(self, job_id: str, stopping: Callable[[], bool]) -> None:
        """Until the last row, until `stopping`, or until the job is no longer this worker's (deleted, say)."""
        waiting: deque[JobItem] = deque()
        for group in self._asker.groups(self._queries(job_id, waiting)):
            answers = [_answer_of(waiting.popleft(), row) for row in group]
            with self._catalog.writing() as session:
                held = jobs.store(session, job_id, self._worker, answers)
            if not held or stopping():
                return

    def _queries(self, job_id: str, waiting: deque[JobItem]) -> Iterator[RowQuery]:
        """What the rows without an answer ask with; they wait for it in the same order."""
        after = -1
        while True:
            with self._catalog.reading() as session:
                page: Sequence[JobItem] = jobs.pending(session, job_id, after, _PAGE)
            if not page:
                return
            for item in page:
                waiting.append(item)
                yield self._query(job_id, item)
            after = page[-1].position

    def _query(self, job_id: str, item: JobItem) -> RowQuery:
        if item.uploaded:
            picture = self._files.path(job_id, item.position)
            return RowQuery(item.name, partial(read_bytes, picture, self._limits), item.sha256)
        return RowQuery(item.name, None, item.sha256, item.pdq)

    def _give_back(self, job_id: str) -> None:
        self._failures[job_id] = self._failures.get(job_id, 0) + 1
        with self._catalog.writing() as session:
            if self._failures[job_id] < _TRIES:
                jobs.release(session, job_id, self._worker)
                return
            jobs.fail(session, job_id, self._worker, "the server failed to answer; its log tells why")
        self._failures.pop(job_id)
        self._files.delete(job_id)


def _answer_of(item: JobItem, row: AnsweredRow) -> JobAnswer:
    cells = {column.name: cell for column, cell in zip(COLUMNS, row.cells, strict=True)}
    return JobAnswer(item.position, item.name, row.reason, cells)
