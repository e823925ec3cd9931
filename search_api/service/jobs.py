"""The server's jobs: accepting them, and the threads that answer them, deliver callbacks and delete old ones."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import BinaryIO, Final

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from indexer.catalog import jobs
from indexer.catalog.records.jobs import Job, NewJobItem
from indexer.catalog.tables.types import canonical_json, utc_now
from indexer.delivery import Webhooks
from indexer.enrichment import Asker
from indexer.enrichment.housekeeping import JobHousekeeping
from indexer.enrichment.jobs import JobFiles, JobRunner
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace
from search_api.service.background import Background
from search_api.service.callbacks import Callbacks

RETRY_AFTER: Final = 30
"""Seconds that a client is asked to wait when the queue is full."""
_PIECE: Final = 2**20
TIDY_EVERY: Final = 3_600.0
"""Seconds between looks for what can be forgotten."""


class Jobs:
    """The jobs of one server.

    Attributes:
        files: the pictures of unfinished jobs.
        webhooks: sends their callbacks.
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
        """Starts the threads, beginning with existing jobs, including those of a server that died."""
        self._working.start()
        self._tidying.start()

    @property
    def works(self) -> tuple[Background, ...]:
        """The background threads."""
        return self._working, self._tidying

    def close(self) -> None:
        """Stops after the current group of rows; the rest is answered after the next start."""
        self._working.close()
        self._tidying.close()

    def submit(
        self,
        items: Sequence[NewJobItem],
        pictures: Sequence[BinaryIO],
        *,
        idempotency_key: str | None,
        callback_url: str | None,
    ) -> Job:
        """Accepts a job; `pictures` are those of the uploaded items, in order. The same key returns the same job.

        Raises:
            HTTPException: 503, the queue is full.
            UsageError: the key was used for another request, or no callback may go to that address.
            DejafakeError: the catalogue or the disk refuses.
        """
        self._workspace.catalog.require_writable()
        if callback_url is not None:
            self.webhooks.check(callback_url)
        catalog = self._workspace.catalog
        digests = _digest(items, pictures, callback_url), _digest_before(items, pictures, callback_url)
        with catalog.reading() as session:
            known = self._known(session, idempotency_key, digests, len(items))
        if known is not None:
            return known
        job_id, remaining = jobs.new_id(), iter(pictures)
        for position, item in enumerate(items):
            if item.uploaded:
                picture = next(remaining)
                picture.seek(0)
                self.files.put(job_id, position, picture)
        try:
            with catalog.writing() as session:
                job = self._known(session, idempotency_key, digests, len(items)) or jobs.add(
                    session,
                    items,
                    job_id=job_id,
                    digest=digests[0],
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

    def _known(self, session: Session, key: str | None, digests: Sequence[str], rows: int) -> Job | None:
        """The job this key was used for, if any; otherwise checks that there is room for a new one."""
        known = None if key is None else jobs.of_key(session, key, digests)
        if known is None and jobs.waiting(session) + rows > self._settings.job_queue_rows:
            raise HTTPException(
                503,
                "Too many rows are waiting already: send the job again later.",
                headers={"Retry-After": str(RETRY_AFTER)},
            )
        return known


def _digest(items: Sequence[NewJobItem], pictures: Sequence[BinaryIO], callback_url: str | None) -> str:
    """A digest that identifies a request, over its canonical JSON. Empty fields are left out, so that adding a field
    later changes no digest.
    """
    rows = [{name: value for name, value in asdict(item).items() if value not in (None, False)} for item in items]
    return _with_pictures(canonical_json({"rows": rows, "callback_url": callback_url}), pictures)


def _digest_before(items: Sequence[NewJobItem], pictures: Sequence[BinaryIO], callback_url: str | None) -> str:
    """The digest that the same request had before jobs could hold reviews, so that a retry of an older request is still
    recognised.
    """
    rows = ", ".join(
        f"NewJobItem(name={item.name!r}, sha256={item.sha256!r}, pdq={item.pdq!r}, uploaded={item.uploaded!r})"
        for item in items
    )
    return _with_pictures(f"([{rows}], {callback_url!r})", pictures)


def _with_pictures(said: str, pictures: Sequence[BinaryIO]) -> str:
    digest = hashlib.sha256(said.encode("utf-8", "replace"))
    for picture in pictures:
        picture.seek(0)
        content = hashlib.sha256()
        while piece := picture.read(_PIECE):
            content.update(piece)
        digest.update(content.digest())
    return digest.hexdigest()
