"""A job that cannot be answered is tried three times in all, whatever fails and in however many processes."""

import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from indexer.catalog import Catalog, jobs
from indexer.catalog.records.jobs import JobState, NewJobItem
from indexer.enrichment.answer_columns import error_cells
from indexer.enrichment.answering import AnsweredRow, Asker
from indexer.enrichment.jobs import TRIES, JobFiles, JobRunner
from indexer.enrichment.rows import RowQuery
from indexer.errors import VectorIndexError
from indexer.imaging.limits import ImageLimits

LIMITS = ImageLimits(10_000, 10_000, 1)


class FailingAsker:
    """Answers `first` rows of the job it was made for, one a group, and then fails."""

    def __init__(self, error: BaseException, first: int = 0) -> None:
        self.error = error
        self.left = first

    def groups(self, queries: Iterable[RowQuery]) -> Iterator[tuple[AnsweredRow, ...]]:
        for query in queries:
            if not self.left:
                raise self.error
            self.left -= 1
            yield (AnsweredRow(query.location, error_cells("x"), "not_at_hand"),)


def runner(catalog: Catalog, files: JobFiles, asker: FailingAsker) -> JobRunner:
    return JobRunner(catalog, cast(Asker, asker), files, LIMITS)


def made(catalog: Catalog, files: JobFiles, rows: int = 3) -> str:
    job_id = jobs.new_id()
    with catalog.writing() as session:
        items = [NewJobItem(f"row {n}", uploaded=True) for n in range(rows)]
        jobs.add(session, items, job_id=job_id, digest="d" * 64)
    for position in range(rows):
        files.put(job_id, position, io.BytesIO(b"picture"))
    return job_id


@pytest.mark.parametrize("error", [RuntimeError("a bug at /srv/secret"), VectorIndexError("broken"), MemoryError()])
def test_whatever_fails_a_job_is_tried_three_times_in_all_and_then_says_so(
    database_url: str, tmp_path: Path, error: Exception
) -> None:
    files = JobFiles(tmp_path / "jobs")
    with Catalog.open(database_url) as catalog:
        job_id = made(catalog, files)
        for _ in range(TRIES):  # each in a process of its own
            with pytest.raises(type(error)):
                runner(catalog, files, FailingAsker(error)).work()
        assert not runner(catalog, files, FailingAsker(error)).work()
        with catalog.reading() as session:
            job = jobs.get(session, job_id)
    assert job.state is JobState.FAILED
    assert "3 times" in (job.failure or "")
    assert "secret" not in (job.failure or "")
    assert not files.path(job_id, 0).exists()


def test_progress_is_kept_and_counts_attempts_anew(database_url: str, tmp_path: Path) -> None:
    files = JobFiles(tmp_path / "jobs")
    with Catalog.open(database_url) as catalog:
        job_id = made(catalog, files, rows=4)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                runner(catalog, files, FailingAsker(RuntimeError(), first=1)).work()
        with catalog.reading() as session:
            assert (jobs.get(session, job_id).answered, jobs.get(session, job_id).state) == (3, JobState.RUNNING)
        assert runner(catalog, files, FailingAsker(RuntimeError(), first=9)).work()
        with catalog.reading() as session:
            assert jobs.get(session, job_id).state is JobState.DONE


def test_processes_that_die_with_a_job_count_too(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = JobFiles(tmp_path / "jobs")
    monkeypatch.setattr("indexer.catalog.jobs.LEASE", timedelta(0))
    with Catalog.open(database_url) as catalog:
        job_id, other = made(catalog, files), made(catalog, files)
        for _ in range(TRIES):
            with pytest.raises(KeyboardInterrupt):  # nothing is given back
                runner(catalog, files, FailingAsker(KeyboardInterrupt())).work()
        assert runner(catalog, files, FailingAsker(RuntimeError(), first=9)).work()
        with catalog.reading() as session:
            assert jobs.get(session, job_id).state is JobState.FAILED
            assert jobs.get(session, other).state is JobState.DONE, "the next one is not held up"
