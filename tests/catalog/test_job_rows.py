"""Jobs outlive the process that took them: leases, answers in order, and ends that are told."""

from datetime import timedelta

import pytest

from indexer.catalog import Catalog, jobs
from indexer.catalog.records.jobs import CallbackState, JobAnswer, JobState, NewJobItem
from indexer.catalog.tables.types import utc_now
from indexer.errors import NotFoundError, UsageError

CALLBACK = "https://example.org/told"


def make(catalog: Catalog, rows: int = 3, key: str | None = None, callback: str | None = None) -> str:
    job_id = jobs.new_id()
    with catalog.writing() as session:
        items = [NewJobItem(f"row {n}", sha256=f"{n:064x}") for n in range(rows)]
        jobs.add(session, items, job_id=job_id, digest="d" * 64, idempotency_key=key, callback_url=callback)
    return job_id


def claim(catalog: Catalog, worker: str = "one") -> str | None:
    with catalog.writing() as session:
        return jobs.claim(session, worker)


def answer(catalog: Catalog, job_id: str, *positions: int, worker: str = "one") -> bool:
    answers = [JobAnswer(position, f"row {position}", None, {"outcome": "x"}) for position in positions]
    with catalog.writing() as session:
        return jobs.store(session, job_id, worker, answers)


def job(catalog: Catalog, job_id: str) -> jobs.Job:
    with catalog.reading() as session:
        return jobs.get(session, job_id)


def test_one_worker_has_a_job_at_a_time_and_the_oldest_comes_first(catalog: Catalog) -> None:
    first, second = make(catalog), make(catalog)
    assert job(catalog, first).state is JobState.QUEUED
    assert [claim(catalog, worker) for worker in ("one", "two", "three")] == [first, second, None]
    assert job(catalog, first).state is JobState.RUNNING
    with catalog.writing() as session:
        jobs.release(session, first, "two")
        assert not jobs.to_do(session), "only who has it can give it back"
        jobs.release(session, first, "one")
        assert jobs.to_do(session)


def test_a_worker_whose_lease_ended_has_lost_its_job(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = make(catalog)
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=-1))
    assert claim(catalog, "one") == job_id
    monkeypatch.undo()
    assert claim(catalog, "two") == job_id
    assert not answer(catalog, job_id, 0, worker="one")
    assert answer(catalog, job_id, 0, worker="two")
    assert job(catalog, job_id).answered == 1


def test_the_last_answer_finishes_a_job(catalog: Catalog) -> None:
    job_id = make(catalog)
    claim(catalog)
    answer(catalog, job_id, 0, 1)
    with catalog.reading() as session:
        assert [item.position for item in jobs.pending(session, job_id, -1, 10)] == [2]
        assert jobs.waiting(session) == 1
    answer(catalog, job_id, 2)
    done = job(catalog, job_id)
    assert (done.state, done.answered, done.callback) == (JobState.DONE, 3, CallbackState.NONE)
    assert claim(catalog) is None


def test_answers_page_in_order_and_promise_more_while_the_job_goes_on(catalog: Catalog) -> None:
    job_id = make(catalog)
    claim(catalog)
    answer(catalog, job_id, 0, 1)
    with catalog.reading() as session:
        first = jobs.answers(session, job_id, 1)
        second = jobs.answers(session, job_id, 1, first.next_cursor)
        waiting = jobs.answers(session, job_id, 1, second.next_cursor)
    assert [page.items[0].name for page in (first, second)] == ["row 0", "row 1"]
    assert waiting.items == ()
    assert waiting.next_cursor == second.next_cursor
    answer(catalog, job_id, 2)
    with catalog.reading() as session:
        last = jobs.answers(session, job_id, 1, waiting.next_cursor)
        with pytest.raises(UsageError, match="not a cursor"):
            jobs.answers(session, job_id, 1, "nonsense")
    assert (last.items[0].name, last.next_cursor) == ("row 2", None)
    assert last.items[0].cells == {"outcome": "x"}


def test_an_idempotency_key_names_one_request(catalog: Catalog) -> None:
    job_id = make(catalog, key="mine")
    with catalog.reading() as session:
        assert jobs.of_key(session, "other", ["d" * 64]) is None
        found = jobs.of_key(session, "mine", ["c" * 64, "d" * 64])
        assert found is not None
        assert found.id == job_id
        with pytest.raises(UsageError, match="another request"):
            jobs.of_key(session, "mine", ["e" * 64])


def test_the_end_of_a_job_is_due_until_it_was_told_or_given_up(catalog: Catalog) -> None:
    job_id = make(catalog, rows=1, callback=CALLBACK)
    hour, now = timedelta(hours=1), utc_now() + timedelta(seconds=1)
    assert job(catalog, job_id).callback is CallbackState.PENDING
    claim(catalog)
    answer(catalog, job_id, 0)
    with catalog.writing() as session:
        assert jobs.callbacks_due(session, now)
        due = jobs.due_callback(session, now, hour)
        assert due is not None
        assert (due.url, due.attempts, due.job.state) == (CALLBACK, 0, JobState.DONE)
        assert not jobs.callbacks_due(session, now), "whoever took it has time to deliver it"
        jobs.settle_callback(session, job_id, delivered=False, again_at=now)
        again = jobs.due_callback(session, now, hour)
        assert again is not None
        assert again.attempts == 1
        jobs.settle_callback(session, job_id, delivered=False, again_at=None)
    assert job(catalog, job_id).callback is CallbackState.GIVEN_UP
    with catalog.writing() as session:
        jobs.settle_callback(session, job_id, delivered=True, again_at=None)
    assert job(catalog, job_id).callback is CallbackState.DELIVERED


def test_a_job_that_was_tried_too_often_without_an_answer_fails_and_says_why(catalog: Catalog) -> None:
    job_id = make(catalog, callback=CALLBACK)
    for worker in ("one", "two"):  # two processes
        assert claim(catalog, worker) == job_id
        with catalog.writing() as session:
            jobs.release(session, job_id, worker, failed=True)
            assert jobs.give_up(session, 3, "no detector") == []
    claim(catalog)
    assert answer(catalog, job_id, 0), "an answer: attempts count anew"
    for _ in range(3):
        with catalog.writing() as session:
            jobs.release(session, job_id, "one", failed=True)
            assert jobs.give_up(session, 3, "no detector") == []
        claim(catalog)
    with catalog.writing() as session:
        assert jobs.give_up(session, 3, "somebody has it") == []
        jobs.release(session, job_id, "one", failed=True)
        assert jobs.give_up(session, 3, "no detector") == [job_id]
        assert jobs.callbacks_due(session, utc_now())
    failed = job(catalog, job_id)
    assert (failed.state, failed.failure, failed.answered) == (JobState.FAILED, "no detector", 1)


def test_a_worker_that_is_stopped_has_not_failed(catalog: Catalog) -> None:
    job_id = make(catalog)
    for _ in range(5):
        assert claim(catalog) == job_id
        with catalog.writing() as session:
            jobs.release(session, job_id, "one")
            assert jobs.give_up(session, 1, "never") == []


def test_a_deleted_job_is_gone_with_its_rows(catalog: Catalog) -> None:
    job_id = make(catalog)
    claim(catalog)
    with catalog.writing() as session:
        jobs.delete(session, job_id)
        assert jobs.pending(session, job_id, -1, 10) == []
    assert not answer(catalog, job_id, 0)
    with pytest.raises(NotFoundError), catalog.reading() as session:
        jobs.get(session, job_id)


def test_jobs_that_ended_long_ago_are_forgotten_unless_they_have_something_to_tell(catalog: Catalog) -> None:
    over, telling, waiting = make(catalog, rows=1), make(catalog, rows=1, callback=CALLBACK), make(catalog, rows=1)
    for job_id in (over, telling):
        claim(catalog)
        answer(catalog, job_id, 0)
    later = utc_now() + timedelta(days=1)
    with catalog.writing() as session:
        assert jobs.forget(session, utc_now() - timedelta(days=1), 10) == 0
        assert jobs.forget(session, later, 10) == 1
        assert jobs.unfinished(session, [over, telling, waiting]) == {waiting}
        jobs.settle_callback(session, telling, delivered=False, again_at=None)
        assert jobs.forget(session, later, 10) == 1
    with pytest.raises(NotFoundError, match="DEJAFAKE_JOB_KEEP_DAYS"):
        job(catalog, telling)
    assert job(catalog, waiting).state is JobState.QUEUED
