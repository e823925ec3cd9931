"""Telling somebody that a job has ended, until that was delivered or given up."""

import json
from collections.abc import Callable
from datetime import datetime

from indexer.catalog import jobs
from indexer.catalog.database import Catalog
from indexer.catalog.types import utc_now
from indexer.webhooks import LEASE, Webhooks, pause_after
from search_api.schemas import JobStatus


class Callbacks:
    """Delivers the ends of jobs that are due. `now` is the clock."""

    def __init__(self, catalog: Catalog, webhooks: Webhooks, now: Callable[[], datetime] = utc_now) -> None:
        self._catalog = catalog
        self._webhooks = webhooks
        self._now = now

    def deliver(self) -> bool:
        """Makes the attempt that is due, if one is.

        Returns:
            Whether there was one.

        Raises:
            CatalogError: the catalogue cannot be read or written.
        """
        with self._catalog.reading() as session:
            if not jobs.callbacks_due(session, self._now()):
                return False
        with self._catalog.writing() as session:
            due = jobs.due_callback(session, self._now(), LEASE)
        if due is None:
            return False
        body = json.dumps(JobStatus.of(due.job).model_dump(mode="json")).encode()
        failure = self._webhooks.send(due.url, body, due.job.id, self._now())
        pause = None if failure is None else pause_after(due.attempts + 1)
        again_at = None if pause is None else self._now() + pause
        with self._catalog.writing() as session:
            jobs.settle_callback(session, due.job.id, delivered=failure is None, again_at=again_at)
        return True
