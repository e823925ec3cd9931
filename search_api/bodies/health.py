"""Whether the server is there, and ready, and how it is doing."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel

from indexer.catalog.records.images import CatalogCounts
from indexer.index import IndexStatus
from indexer.upkeep.free_space import DiskSpace
from indexer.verdict.findings import CalibrationReference


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]
    version: str


class Ready(BaseModel):
    """Searches can be answered, on this index."""

    status: Literal["ready"]
    detector: str
    index: IndexStatus


class ProblemKind(StrEnum):
    """What is not as it should be."""

    INDEX_OPENING = "index_opening"
    INDEX_MISSING = "index_missing"
    INDEX_STALE = "index_stale"
    INDEX_DAMAGED = "index_damaged"
    INDEX_OTHER_DETECTOR = "index_other_detector"
    INDEX_WORK_FAILED = "index_work_failed"
    DETECTOR_LOADING = "detector_loading"
    DETECTOR_FAILED = "detector_failed"
    DETECTOR_NOT_TRAINED = "detector_not_trained"
    NO_COPY_DESCRIPTOR = "no_copy_descriptor"
    NOT_CALIBRATED = "not_calibrated"
    NEEDS_RESTART = "needs_restart"
    QUEUE_FULL = "queue_full"
    DISK_LOW = "disk_low"
    DISK_UNKNOWN = "disk_unknown"
    READ_ONLY = "read_only"


class StatusProblem(BaseModel):
    """Something that is not as it should be. `words` say what it is and what to do; `detail` is the message of the part
    that failed, null where there is none."""

    kind: ProblemKind
    words: str
    detail: str | None


class DetectorStatus(BaseModel):
    """The detector in use. `trained`: false for one that knows nothing yet, whose scores mean nothing."""

    name: str
    fingerprint: str
    state: Literal["loading", "ready", "failed"]
    trained: bool


class CopyDescriptorStatus(BaseModel):
    """The copy descriptor in use."""

    name: str
    fingerprint: str


class QueueStatus(BaseModel):
    """What waits or is being worked on: `now`, of at most `most` (null: no limit)."""

    now: int
    most: int | None


class Queues(BaseModel):
    """The queues. `rows`: unanswered rows of enrichment jobs, of all processes; the others are of the process asked:
    `searches` with a picture, `heavy` requests (uploads, comparisons, reports), and pictures that wait for the
    detector (`passes`)."""

    rows: QueueStatus
    searches: QueueStatus
    heavy: QueueStatus
    passes: QueueStatus


class ThreadStatus(BaseModel):
    """A background thread of the process asked: `alive`, and how many of its steps failed since the start; each is
    tried again."""

    name: str
    alive: bool
    failures: int


class Status(BaseModel):
    """The state of a server at `at` (UTC). `ready`: as `GET /readyz` says. `calibration` is null while scores are
    uncalibrated; `copy_descriptor` is null without one; `disk` is null where the system does not tell; `catalogue` is
    null until it is counted, and at most half a minute old while it is asked for often."""

    at: datetime
    version: str
    ready: bool
    problems: tuple[StatusProblem, ...]
    detector: DetectorStatus
    copy_descriptor: CopyDescriptorStatus | None
    calibration: CalibrationReference | None
    index: IndexStatus
    catalogue: CatalogCounts | None
    queues: Queues
    threads: tuple[ThreadStatus, ...]
    disk: DiskSpace | None
    read_only: bool
