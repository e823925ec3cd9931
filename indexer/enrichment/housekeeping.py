"""Deletes what finished jobs and crashed servers leave behind."""

from datetime import datetime, timedelta
from typing import Final

from indexer.catalog import jobs
from indexer.catalog.database import Catalog
from indexer.enrichment.jobs import JobFiles

ORPHANED_AFTER: Final = timedelta(hours=1)
"""A folder of pictures older than this without a job will never get one: uploads are queued within a minute."""
_AT_ONCE = 20


class JobHousekeeping:
    """Deletes old jobs and files. Several processes may run this on the same catalogue and folder.

    Args:
        catalog: where the jobs are.
        files: where their pictures are.
        keep: for how long finished jobs are kept.
    """

    def __init__(self, catalog: Catalog, files: JobFiles, keep: timedelta) -> None:
        self._catalog = catalog
        self._files = files
        self._keep = keep

    def tidy(self, now: datetime) -> bool:
        """Deletes some jobs that ended long enough before `now`, and pictures that no unfinished job needs.

        Returns:
            Whether there may be more to delete.

        Raises:
            CatalogError: the catalogue cannot be read or written.
        """
        forgotten = self._forget(now - self._keep)
        self._sweep(now)
        return forgotten == _AT_ONCE

    def _forget(self, before: datetime) -> int:
        with self._catalog.reading() as session:
            if not jobs.to_forget(session, before):
                return 0
        with self._catalog.writing() as session:
            return jobs.forget(session, before, _AT_ONCE)

    def _sweep(self, now: datetime) -> None:
        old = self._files.untouched_since(now - ORPHANED_AFTER)
        with self._catalog.reading() as session:
            needed = jobs.unfinished(session, old)
        for job_id in old:
            if job_id not in needed:
                self._files.delete(job_id)
