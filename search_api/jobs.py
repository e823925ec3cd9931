"""The server's own work: threads that answer jobs and tell of their ends, and the way a job gets in."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread

from starlette.exceptions import HTTPException

from indexer.catalog import jobs
from indexer.catalog.job_records import Job, NewJobItem
from indexer.enrichment import Asker
from indexer.enrichment.jobs import JobFiles, JobRunner
from indexer.errors import DejafakeError
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace
from search_api.callbacks import Callbacks

logger = logging.getLogger("dejafake.api")

LOOK_EVERY = 2.0
"""Seconds between looks for work that nobody in this process announced."""
RETRY_AFTER = 30
"""Seconds that a client is asked to wait when the queue is full."""


class Jobs:
    """The jobs of one server.

    Attributes:
        files: the pictures of unfinished jobs.
        callbacks: tells of their ends.
    """

    def __init__(self, settings: Settings, workspace: Workspace) -> None:
        self._settings = settings
        self._workspace = workspace
        self._stopping = Event()
        self._news = Event()
        self.files = JobFiles(settings.jobs_dir)
        self.callbacks = Callbacks(workspace.catalog, settings)
        limits = ImageLimits.from_settings(settings)
        self._runner = JobRunner(workspace.catalog, Asker(workspace.searcher, settings), self.files, limits)
        self._threads = [
            Thread(target=self._repeat, args=(lambda: self._runner.work(self._stopping.is_set),), name="answer-jobs"),
            Thread(target=self._repeat, args=(self.callbacks.deliver,), name="deliver-callbacks"),
        ]

    def start(self) -> None:
        """Begins with what is there, jobs of a server that died included."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stops after the group of rows that is being answered; the rest is done after the next start."""
        self._stopping.set()
        self._news.set()
        for thread in self._threads:
            thread.join()

    def submit(
        self,
        items: Sequence[NewJobItem],
        pictures: Sequence[bytes],
        *,
        idempotency_key: str | None,
        callback_url: str | None,
    ) -> Job:
        """Takes a job; `pictures` are those of the uploaded items, in order. The same key gives the same job.

        Raises:
            HTTPException: 503, the queue is full.
            UsageError: the key was used for another request, or no callback may go to that address.
            DejafakeError: the catalogue or the disk refuses.
        """
        if callback_url is not None:
            self.callbacks.check(callback_url)
        catalog, digest = self._workspace.catalog, _digest(items, pictures, callback_url)
        job_id, remaining = jobs.new_id(), iter(pictures)
        for position, item in enumerate(items):
            if item.uploaded:
                self.files.put(job_id, position, next(remaining))
        try:
            with catalog.writing() as session:
                known = None if idempotency_key is None else jobs.of_key(session, idempotency_key, digest)
                if known is not None:
                    job = known
                elif jobs.waiting(session) + len(items) > self._settings.job_queue_rows:
                    raise HTTPException(
                        503,
                        "Too many rows are waiting already: send the job again later.",
                        headers={"Retry-After": str(RETRY_AFTER)},
                    )
                else:
                    job = jobs.add(
                        session,
                        items,
                        job_id=job_id,
                        digest=digest,
                        idempotency_key=idempotency_key,
                        callback_url=callback_url,
                    )
        except BaseException:
            self.files.delete(job_id)
            raise
        if job.id != job_id:
            self.files.delete(job_id)
        self._news.set()
        return job

    def _repeat(self, step: Callable[[], bool]) -> None:
        """Works while there is work, then waits for news or a while."""
        while not self._stopping.is_set():
            try:
                busy = step()
            except DejafakeError as error:
                logger.error("a job cannot be done: %s", error)
                busy = False
            except Exception:
                logger.exception("a job cannot be done")
                busy = False
            if busy:
                self._news.set()
            else:
                self._news.wait(LOOK_EVERY)
                self._news.clear()


def _digest(items: Sequence[NewJobItem], pictures: Sequence[bytes], callback_url: str | None) -> str:
    """What tells two requests apart."""
    digest = hashlib.sha256(repr((items, callback_url)).encode("utf-8", "replace"))
    for picture in pictures:
        digest.update(hashlib.sha256(picture).digest())
    return digest.hexdigest()
