"""What travels in and out of `jobs`: frozen dataclasses, free of SQLAlchemy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class CallbackState(StrEnum):
    """How far telling a job's end is."""

    NONE = "none"
    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class NewJobItem:
    """A row to answer. `uploaded`: its picture is among the job's files, under the row's position."""

    name: str
    sha256: str | None = None
    pdq: str | None = None
    uploaded: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A batch. `answered` of `rows` have been; `failure` says why a failed one was."""

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


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """A row's answer: its cells by column, and the reason of a row that could not be answered."""

    position: int
    name: str
    reason: str | None
    cells: Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class DueCallback:
    """A job whose end is to be told now; `attempts` were made before."""

    job: Job
    url: str
    attempts: int
