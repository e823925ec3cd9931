"""Tables of enrichment jobs and their rows."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from indexer.catalog.tables.base import Base


class JobRow(Base):
    """A batch of rows to answer. `worker` holds it until `lease_until`; `callback_at` is the next callback attempt,
    null when there is none.
    """

    __tablename__ = "job"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(255), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    answered: Mapped[int]
    attempts: Mapped[int] = mapped_column(server_default="0")
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    worker: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    callback_url: Mapped[str | None]
    callback_at: Mapped[datetime | None]
    callback_attempts: Mapped[int]
    callback_delivered: Mapped[bool]

    __table_args__ = (Index(None, "finished_at", "created_at"), Index(None, "callback_at"))


class JobItemRow(Base):
    """One row of a job. `uploaded`: its picture is among the job's files; `questions` are those of a review as JSON,
    null for other rows; `cells` is the answer as JSON, null until there is one.
    """

    __tablename__ = "job_item"

    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str | None] = mapped_column(String(64))
    pdq: Mapped[str | None] = mapped_column(String(64))
    uploaded: Mapped[bool]
    questions: Mapped[str | None]
    cells: Mapped[str | None]
    reason: Mapped[str | None]
