"""Enrichment jobs (batches of rows to answer), stored so that they outlive the process that accepted them. One worker
holds a job at a time, by a lease that it renews with every group of answers; if the worker dies, the lease runs out.
Attempts are counted here too, across all workers. The end of a job is reported to its callback until delivered or given
up.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, update
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from indexer.catalog.cursors import PageRequest
from indexer.catalog.records.jobs import (
    CallbackState,
    DueCallback,
    Job,
    JobAnswer,
    JobItem,
    JobState,
    NewJobItem,
    Question,
)
from indexer.catalog.records.pages import Page
from indexer.catalog.tables.jobs import JobItemRow, JobRow
from indexer.catalog.tables.portable import one_of
from indexer.catalog.tables.types import clean_text, utc_now
from indexer.errors import NotFoundError, UsageError

LEASE = timedelta(seconds=60)
"""How long a worker has a job after its last group of answers."""
_AT_ONCE = 1_000


def add(
    session: Session,
    items: Sequence[NewJobItem],
    *,
    job_id: str,
    digest: str,
    idempotency_key: str | None = None,
    callback_url: str | None = None,
) -> Job:
    """Store a new job. `digest` identifies the request; see `of_key`."""
    session.execute(
        insert(JobRow).values(
            id=job_id,
            idempotency_key=idempotency_key,
            digest=digest,
            rows=len(items),
            answered=0,
            created_at=utc_now(),
            callback_url=callback_url,
            callback_attempts=0,
            callback_delivered=False,
        )
    )
    rows = [
        {
            "job_id": job_id,
            "position": position,
            "name": item.name,
            "sha256": item.sha256,
            "pdq": item.pdq,
            "uploaded": item.uploaded,
            "questions": None
            if item.questions is None
            else json.dumps([astuple(question) for question in item.questions]),
        }
        for position, item in enumerate(items)
    ]
    for start in range(0, len(rows), _AT_ONCE):
        session.execute(insert(JobItemRow), rows[start : start + _AT_ONCE])
    return get(session, job_id)


def new_id() -> str:
    """An unguessable id."""
    return f"job_{token_hex(12)}"


def of_key(session: Session, idempotency_key: str, digests: Collection[str]) -> Job | None:
    """The job created under an idempotency key, for a request with one of these digests.

    Raises:
        UsageError: the key was used for another request.
    """
    row = session.execute(
        select(JobRow.id, JobRow.digest).where(JobRow.idempotency_key == idempotency_key)
    ).one_or_none()
    if row is None:
        return None
    if row.digest not in digests:
        raise UsageError("this Idempotency-Key was used for another request: choose a new one")
    return get(session, row.id)


def get(session: Session, job_id: str) -> Job:
    """A job.

    Raises:
        NotFoundError: there is none of this id.
    """
    row = session.execute(select(JobRow).where(JobRow.id == job_id)).scalar_one_or_none()
    if row is None:
        raise NotFoundError(
            f"there is no job {job_id}: nobody sent it, it was deleted, or it ended so long ago that it was forgotten "
            "(DEJAFAKE_JOB_KEEP_DAYS): send it again"
        )
    return _record(row)


def is_over(session: Session, job_id: str) -> bool:
    """Whether a job has ended or does not exist."""
    going_on = select(JobRow.id).where(JobRow.id == job_id, JobRow.finished_at.is_(None))
    return session.execute(going_on).first() is None


def delete(session: Session, job_id: str) -> None:
    """Delete a job and its answers; a worker that holds it stops.

    Raises:
        NotFoundError: there is none of this id.
    """
    get(session, job_id)
    session.execute(sql_delete(JobItemRow).where(JobItemRow.job_id == job_id))
    session.execute(sql_delete(JobRow).where(JobRow.id == job_id))


def waiting(session: Session) -> int:
    """How many rows of unfinished jobs have no answer yet."""
    left = select(func.sum(JobRow.rows - JobRow.answered)).where(JobRow.finished_at.is_(None))
    return int(session.execute(left).scalar_one() or 0)


def to_do(session: Session) -> bool:
    """Whether there is a job to claim; check before opening a writing transaction."""
    return session.execute(select(JobRow.id).where(JobRow.finished_at.is_(None), _free()).limit(1)).first() is not None


def claim(session: Session, worker: str) -> str | None:
    """Assign the oldest unfinished, unclaimed job to a worker, and count the attempt; None when there is none."""
    oldest = (
        select(JobRow.id).where(JobRow.finished_at.is_(None), _free()).order_by(JobRow.created_at, JobRow.id).limit(1)
    )
    job_id = session.execute(oldest).scalar_one_or_none()
    if job_id is not None:
        lease = {"worker": worker, "lease_until": utc_now() + LEASE, "attempts": JobRow.attempts + 1}
        session.execute(update(JobRow).where(JobRow.id == job_id).values(**lease))
    return job_id


def give_up(session: Session, attempts: int, why: str) -> list[str]:
    """Mark as failed the unclaimed jobs that were claimed this many times without producing an answer, whether
    answering failed or the process died. Earlier answers are kept.

    Returns:
        Their ids.
    """
    hopeless = select(JobRow).where(JobRow.finished_at.is_(None), _free(), JobRow.attempts >= attempts)
    rows = session.execute(hopeless.order_by(JobRow.created_at, JobRow.id)).scalars().all()
    for row in rows:
        _finish(row, clean_text(why))
    session.flush()
    return [row.id for row in rows]


def release(session: Session, job_id: str, worker: str, *, failed: bool = False) -> None:
    """Give up the lease on a job at once. The attempt counts only if answering `failed`."""
    given_back: dict[str, Any] = {"worker": None, "lease_until": None}
    if not failed:
        given_back["attempts"] = 0
    session.execute(update(JobRow).where(JobRow.id == job_id, JobRow.worker == worker).values(**given_back))


def pending(session: Session, job_id: str, after: int, limit: int) -> list[JobItem]:
    """Rows without an answer, in order, after a position (-1 for the first)."""
    columns = (JobItemRow.position, JobItemRow.name, JobItemRow.sha256, JobItemRow.pdq, JobItemRow.uploaded)
    rows = session.execute(
        select(*columns, JobItemRow.questions)
        .where(JobItemRow.job_id == job_id, JobItemRow.position > after, JobItemRow.cells.is_(None))
        .order_by(JobItemRow.position)
        .limit(limit)
    )
    return [JobItem(*row[:-1], questions=_questions(row.questions)) for row in rows]


def store(session: Session, job_id: str, worker: str, answers: Sequence[JobAnswer]) -> bool:
    """Store answers and renew the worker's lease; the last answers finish the job. Resets the count of attempts.

    Returns:
        Whether the worker still holds the job; otherwise nothing is written.
    """
    held = session.execute(
        select(JobRow).where(JobRow.id == job_id, JobRow.worker == worker, JobRow.finished_at.is_(None))
    ).scalar_one_or_none()
    if held is None:
        return False
    for answer in answers:
        row = and_(JobItemRow.job_id == job_id, JobItemRow.position == answer.position)
        cells = json.dumps(dict(answer.cells), separators=(",", ":"))
        session.execute(update(JobItemRow).where(row).values(cells=cells, reason=answer.reason))
    held.answered += len(answers)
    held.attempts = 0
    held.lease_until = utc_now() + LEASE
    if held.answered >= held.rows:
        _finish(held, None)
    session.flush()
    return True


def answers(session: Session, job_id: str, limit: int, cursor: str | None = None) -> Page[JobAnswer]:
    """The rows answered so far, in order. The last page of an unfinished job has a cursor too, since more will come.

    Raises:
        NotFoundError: there is no such job.
        UsageError: a bad limit or cursor.
    """
    request = PageRequest.read("answers", limit, cursor, start=(-1,), position=int)
    job = get(session, job_id)
    statement = (
        select(JobItemRow.position, JobItemRow.name, JobItemRow.reason, JobItemRow.cells)
        .where(JobItemRow.job_id == job_id, JobItemRow.position > request.after[0], JobItemRow.cells.is_not(None))
        .order_by(JobItemRow.position)
    )
    rows = request.rows(session, statement, growing=job.finished_at is None)
    return rows.map(lambda row: JobAnswer(row.position, row.name, row.reason, json.loads(row.cells or "{}")))


def callbacks_due(session: Session, now: datetime) -> bool:
    """Whether a callback is due; check before opening a writing transaction."""
    return session.execute(select(JobRow.id).where(JobRow.callback_at <= now).limit(1)).first() is not None


def due_callback(session: Session, now: datetime, lease: timedelta) -> DueCallback | None:
    """Takes the callback that has been due longest. It becomes due again after `lease`, in case the worker dies."""
    due = select(JobRow).where(JobRow.callback_at <= now).order_by(JobRow.callback_at, JobRow.id).limit(1)
    row = session.execute(due).scalar_one_or_none()
    if row is None or row.callback_url is None:
        return None
    callback = DueCallback(_record(row), row.callback_url, row.callback_attempts)
    row.callback_attempts += 1
    row.callback_at = now + lease
    session.flush()
    return callback


def settle_callback(session: Session, job_id: str, *, delivered: bool, again_at: datetime | None) -> None:
    """Record the result of an attempt: delivered, to be retried, or (`again_at` is None) given up."""
    session.execute(
        update(JobRow).where(JobRow.id == job_id).values(callback_delivered=delivered, callback_at=again_at)
    )


def to_forget(session: Session, before: datetime) -> bool:
    """Whether there is a job to delete; check before opening a writing transaction."""
    return session.execute(_over(before).limit(1)).first() is not None


def forget(session: Session, before: datetime, limit: int) -> int:
    """Delete up to `limit` jobs that ended before a time and have no callback pending, with their answers.

    Returns:
        How many there were.
    """
    ids = list(session.scalars(_over(before).order_by(JobRow.finished_at).limit(limit)))
    session.execute(sql_delete(JobItemRow).where(one_of(JobItemRow.job_id, ids)))
    session.execute(sql_delete(JobRow).where(one_of(JobRow.id, ids)))
    return len(ids)


def unfinished(session: Session, job_ids: Sequence[str]) -> set[str]:
    """Which of the given jobs exist and have not ended."""
    going_on = select(JobRow.id).where(one_of(JobRow.id, job_ids), JobRow.finished_at.is_(None))
    return set(session.scalars(going_on))


def _questions(kept: str | None) -> tuple[Question, ...] | None:
    return None if kept is None else tuple(Question(sha256, tuple(urls)) for sha256, urls in json.loads(kept))


def _over(before: datetime) -> Select[str]:
    return select(JobRow.id).where(JobRow.finished_at < before, JobRow.callback_at.is_(None))


def _free() -> ColumnElement[bool]:
    return or_(JobRow.lease_until.is_(None), JobRow.lease_until <= utc_now())


def _finish(row: JobRow, failure: str | None) -> None:
    row.failure = failure
    row.finished_at = utc_now()
    row.worker, row.lease_until = None, None
    row.callback_at = None if row.callback_url is None else row.finished_at


def _record(row: JobRow) -> Job:
    state = JobState.QUEUED
    if row.finished_at is not None:
        state = JobState.DONE if row.failure is None else JobState.FAILED
    elif row.answered or row.lease_until is not None:
        state = JobState.RUNNING
    callback = CallbackState.PENDING
    if row.callback_url is None:
        callback = CallbackState.NONE
    elif row.callback_delivered:
        callback = CallbackState.DELIVERED
    elif row.finished_at is not None and row.callback_at is None:
        callback = CallbackState.GIVEN_UP
    return Job(
        id=row.id,
        state=state,
        rows=row.rows,
        answered=row.answered,
        failure=row.failure,
        created_at=row.created_at,
        finished_at=row.finished_at,
        callback=callback,
    )
