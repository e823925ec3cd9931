"""Reports the ends of jobs to their callbacks, until delivered or given up."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from indexer.catalog import jobs
from indexer.catalog.database import Catalog
from indexer.catalog.records.jobs import DueCallback
from indexer.catalog.tables.types import utc_now
from indexer.delivery import Attempt, Message, Webhooks, deliver_next
from search_api.bodies.enrich import JobStatus


class Callbacks:
    """Delivers callbacks that are due. `now` is the clock."""

    def __init__(self, catalog: Catalog, webhooks: Webhooks, now: Callable[[], datetime] = utc_now) -> None:
        self._ends = _EndsOfJobs(catalog)
        self._webhooks = webhooks
        self._now = now

    def deliver(self) -> bool:
        """Makes the attempt that is due, if one is.

        Returns:
            Whether there was one.

        Raises:
            CatalogError: the catalogue cannot be read or written.
        """
        return deliver_next(self._ends, self._webhooks, self._now) is not None


class _EndsOfJobs:
    """The outbox of ended jobs."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def is_due(self, now: datetime) -> bool:
        with self._catalog.reading() as session:
            return jobs.callbacks_due(session, now)

    def take(self, now: datetime, lease: timedelta) -> Message[DueCallback] | None:
        with self._catalog.writing() as session:
            due = jobs.due_callback(session, now, lease)
        if due is None:
            return None
        body = json.dumps(JobStatus.of(due.job).model_dump(mode="json")).encode()
        return Message(due, due.url, body, due.job.id, due.attempts)

    def settle(self, message: Message[DueCallback], attempt: Attempt, now: datetime) -> None:
        del now
        with self._catalog.writing() as session:
            jobs.settle_callback(session, message.taken.job.id, delivered=attempt.arrived, again_at=attempt.again_at)
