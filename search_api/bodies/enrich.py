"""Bodies of enrichment requests, and how far a job is."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from indexer.catalog.records.jobs import CallbackState, Job, JobState
from search_api.bodies.fields import Body, Pdq, Sha256, Text, WebAddress


class EnrichRow(Body):
    """A row to answer: what is known of a picture, and a name to find the row by in the results."""

    name: Text = Field(default="", description="Your own id or path; returned with the answer.")
    sha256: Sha256 | None = Field(default=None, description="SHA-256 of the picture.")
    pdq: Pdq | None = Field(default=None, description="PDQ hash of the picture, 64 hex digits.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.sha256 is None and self.pdq is None:
            raise ValueError("give sha256, pdq or both; send pictures as multipart/form-data")
        return self


class EnrichFields(Body):
    """What is said of a whole job."""

    callback_url: WebAddress | None = Field(
        default=None, description="URL that is called with a signed POST when the job ends."
    )


class EnrichRequest(EnrichFields):
    """Rows to answer without their pictures."""

    rows: tuple[EnrichRow, ...] = Field(min_length=1, description="Answered in this order.")


class JobStatus(BaseModel):
    """How far a job is. `failure` says why a failed one was; `callback` how far telling its end is."""

    id: str
    state: JobState
    rows: int
    answered: int
    failure: str | None
    created_at: datetime
    finished_at: datetime | None
    callback: CallbackState
    links: dict[Literal["self", "results"], str]

    @classmethod
    def of(cls, job: Job) -> "JobStatus":
        """A job of the catalogue with its links."""
        base = f"/v1/enrich/{job.id}"
        return cls(
            id=job.id,
            state=job.state,
            rows=job.rows,
            answered=job.answered,
            failure=job.failure,
            created_at=job.created_at,
            finished_at=job.finished_at,
            callback=job.callback,
            links={"self": base, "results": f"{base}/results"},
        )
