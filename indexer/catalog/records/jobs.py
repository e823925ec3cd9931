"""Records of jobs: frozen dataclasses, free of SQLAlchemy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class CallbackState(StrEnum):
    """The state of a job's callback."""

    NONE = "none"
    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Question:
    """One picture of a review: its digest, where it was seen, or both."""

    sha256: str | None = None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewJobItem:
    """A row to answer. `uploaded`: its picture is among the job's files, under the row's position. `questions` are
    those of a review, which gets the most serious of their answers; empty for a review with nothing to look up, None
    for a row that is not a review.
    """

    name: str
    sha256: str | None = None
    pdq: str | None = None
    uploaded: bool = False
    questions: tuple[Question, ...] | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job. `answered` of `rows` are done; `failure` says why a failed job failed."""

    id: str
    state: JobState
    rows: int
    answered: int
    failure: str | None
    created_at: datetime
    finished_at: datetime | None
    callback: CallbackState


@dataclass(frozen=True, slots=True)
class JobItem:
    """A row that has no answer yet."""

    position: int
    name: str
    sha256: str | None
    pdq: str | None
    uploaded: bool
    questions: tuple[Question, ...] | None = None


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """A row's answer: its cells by column, and the reason of a row that could not be answered."""

    position: int
    name: str
    reason: str | None
    cells: Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class DueCallback:
    """A job whose callback is due; `attempts` were made before."""

    job: Job
    url: str
    attempts: int
