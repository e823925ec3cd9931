"""The server's jobs: threads that answer them, tell of their ends and forget them, and the way a job gets in."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from indexer.catalog import jobs
from indexer.catalog.job_records import Job, NewJobItem
from indexer.catalog.types import utc_now
from indexer.enrichment import Asker
from indexer.enrichment.housekeeping import JobHousekeeping
from indexer.enrichment.jobs import JobFiles, JobRunner
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.webhooks import Webhooks
from indexer.workspace import Workspace
from search_api.background import Background
from search_api.callbacks import Callbacks

RETRY_AFTER: Final = 30
"""Seconds that a client is asked to wait when the queue is full."""
TIDY_EVERY: Final = 3_600.0
"""Seconds between looks for what can be forgotten."""


class Jobs:
    """The jobs of one server.

    Attributes:
        files: the pictures of unfinished jobs.
        webhooks: what their ends are told with.
    """

    def __init__(self, settings: Settings, workspace: Workspace) -> None:
        self._settings = settings
        self._workspace = workspace
        self.files = JobFiles(settings.jobs_dir)
        self.webhooks = Webhooks(settings)
        limits = ImageLimits.from_settings(settings)
        runner = JobRunner(workspace.catalog, Asker(workspace.searcher, settings), self.files, limits)
        callbacks = Callbacks(workspace.catalog, self.webhooks)
        tidying = JobHousekeeping(workspace.catalog, self.files, timedelta(days=settings.job_keep_days))
        self._working = Background(
            {
                "answer-jobs": lambda: runner.work(self._working.stopping.is_set),
                "deliver-callbacks": callbacks.deliver,
            }
        )
        self._tidying = Background({"forget-jobs": lambda: tidying.tidy(utc_now())}, every=TIDY_EVERY)

    def start(self) -> None:
        """Begins with what is there, jobs of a server that died included."""
        self._working.start()
        self._tidying.start()

    def close(self) -> None:
        """Stops after the group of rows that is being answered; the rest is done after the next start."""
        self._working.close()
        self._tidying.close()

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
            self.webhooks.check(callback_url)
        catalog, digest = self._workspace.catalog, _digest(items, pictures, callback_url)
        with catalog.reading() as session:
            known = self._known(session, idempotency_key, digest, len(items))
        if known is not None:
            return known
        job_id, remaining = jobs.new_id(), iter(pictures)
        for position, item in enumerate(items):
            if item.uploaded:
                self.files.put(job_id, position, next(remaining))
        try:
            with catalog.writing() as session:
                job = self._known(session, idempotency_key, digest, len(items)) or jobs.add(
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
        self._working.announce()
        return job

    def _known(self, session: Session, key: str | None, digest: str, rows: int) -> Job | None:
        """The job this key was used for, if any; else there must be room for a new one."""
        known = None if key is None else jobs.of_key(session, key, digest)
        if known is None and jobs.waiting(session) + rows > self._settings.job_queue_rows:
            raise HTTPException(
                503,
                "Too many rows are waiting already: send the job again later.",
                headers={"Retry-After": str(RETRY_AFTER)},
            )
        return known


def _digest(items: Sequence[NewJobItem], pictures: Sequence[bytes], callback_url: str | None) -> str:
    """What tells two requests apart."""
    digest = hashlib.sha256(repr((items, callback_url)).encode("utf-8", "replace"))
    for picture in pictures:
        digest.update(hashlib.sha256(picture).digest())
    return digest.hexdigest()
