"""What finished jobs and servers that died leave behind goes."""

import io
import os
from datetime import timedelta
from pathlib import Path

from indexer.catalog import Catalog, jobs
from indexer.catalog.records.jobs import NewJobItem
from indexer.catalog.tables.types import utc_now
from indexer.enrichment.housekeeping import ORPHANED_AFTER, JobHousekeeping
from indexer.enrichment.jobs import JobFiles


def test_pictures_without_an_unfinished_job_are_swept_once_they_are_old(database_url: str, tmp_path: Path) -> None:
    files, now = JobFiles(tmp_path / "jobs"), utc_now()
    needed, orphan, fresh = jobs.new_id(), jobs.new_id(), jobs.new_id()
    with Catalog.open(database_url) as catalog:
        tidying = JobHousekeeping(catalog, files, timedelta(days=7))
        assert not tidying.tidy(now), "nothing is there yet, not even the folder"
        with catalog.writing() as session:
            jobs.add(session, [NewJobItem("row", uploaded=True)], job_id=needed, digest="d" * 64)
        for job_id in (needed, orphan, fresh):
            files.put(job_id, 0, io.BytesIO(b"picture"))
        (tmp_path / "jobs" / "something else").mkdir()
        old = (now - ORPHANED_AFTER - timedelta(seconds=1)).timestamp()
        for name in (needed, orphan, "something else"):
            os.utime(tmp_path / "jobs" / name, (old, old))
        tidying.tidy(now)
    left = {path.name for path in (tmp_path / "jobs").iterdir()}
    assert left == {needed, fresh, "something else"}
