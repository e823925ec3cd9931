"""`/v1/enrich`: many rows at once, answered in the background."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from indexer.catalog import jobs
from indexer.catalog.job_records import Job, JobAnswer, NewJobItem
from indexer.catalog.records import Page
from search_api.bodies import (
    JSON,
    MULTIPART,
    Form,
    invalid,
    media_type,
    read_form,
    unsupported,
    validated,
    validated_json,
)
from search_api.errors import responses
from search_api.openapi import example, two_bodies
from search_api.requests import EnrichFields, EnrichRequest
from search_api.schemas import JobStatus
from search_api.service import Service, Serving

router = APIRouter(prefix="/v1/enrich", tags=["enrich"])

JobId = Annotated[str, Path(pattern=r"^job_[0-9a-f]{24}$", description="Id of the job.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Chosen by the client: sending the same request again with the same key gives the same job.",
    ),
]
_NO_FIELDS: Final[frozenset[str]] = frozenset()


@router.post(
    "",
    status_code=202,
    summary="Answer many rows in the background",
    response_description="The job; `Location` is where to follow it.",
    responses={**example("enrich", 202), **responses(400, 413, 415, 422, 503)},
    openapi_extra=two_bodies(EnrichFields, {"files": "The pictures, a row each."}, EnrichRequest, "enrich", many=True),
)
async def enrich(request: Request, response: Response, service: Serving, idempotency_key: Key = None) -> JobStatus:
    """Takes rows and answers them one after the other; what is asked with is not added to the catalogue.

    Send `application/json` with `rows` that have a SHA-256, a PDQ hash or both, or `multipart/form-data` with pictures
    in `files`. Follow the job at its address, or name a `callback_url`: when the job ends its status is sent there,
    with the header `Dejafake-Signature: t=<unix seconds>,v1=<hex>`, which is the HMAC-SHA256 of the seconds, a full
    stop and the body. When too many rows are waiting already the answer is 503 with `Retry-After`.
    """
    kind = media_type(request)
    if kind == MULTIPART:
        async with read_form(request, max_files=service.settings.max_upload_files) as form:
            job = await _of_pictures(service, form, idempotency_key)
    elif kind == JSON:
        body = validated_json(EnrichRequest, await request.body())
        items = [NewJobItem(row.name, row.sha256, row.pdq) for row in body.rows]
        job = await _submitted(service, items, (), idempotency_key, body.callback_url)
    else:
        raise unsupported(MULTIPART, JSON)
    status = JobStatus.of(job)
    response.headers["Location"] = status.links["self"]
    return status


@router.get("/{job}", summary="How far a job is", responses={**example("job"), **responses(404, 422)})
def status(service: Serving, job: JobId) -> JobStatus:
    """The job's state and how many rows have been answered."""
    with service.workspace.catalog.reading() as session:
        return JobStatus.of(jobs.get(session, job))


@router.get("/{job}/results", summary="The answers of a job", responses={**example("results"), **responses(404, 422)})
def results(
    service: Serving,
    job: JobId,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Page[JobAnswer]:
    """The rows answered so far, in their order. While the job goes on there is always a `next_cursor`: more will come.

    `cells` has the columns of `dejafake enrich`, without a prefix. A row that could not be answered has a `reason`, and
    says why in `error`; it never fails the others.
    """
    with service.workspace.catalog.reading() as session:
        return jobs.answers(session, job, limit, cursor)


@router.delete("/{job}", status_code=204, summary="Forget a job", responses=responses(404, 422, 503))
def delete(service: Serving, job: JobId) -> None:
    """Deletes the job with its pictures and answers; one that is being answered stops."""
    with service.workspace.catalog.writing() as session:
        jobs.delete(session, job)
    service.jobs.files.delete(job)


async def _of_pictures(service: Service, form: Form, key: str | None) -> Job:
    uploads = tuple(upload for upload in form.files if upload.field == "files")
    if not uploads or len(uploads) != len(form.files):
        raise invalid("body.files", "send the pictures, at least one, as files in the field `files`")
    said = validated(EnrichFields, form.values(_NO_FIELDS))
    pictures = [await run_in_threadpool(upload.read, service.settings.max_file_bytes) for upload in uploads]
    items = [NewJobItem(upload.name, uploaded=True) for upload in uploads]
    return await _submitted(service, items, pictures, key, said.callback_url)


async def _submitted(
    service: Service, items: list[NewJobItem], pictures: Sequence[bytes], key: str | None, callback_url: str | None
) -> Job:
    if len(items) > service.settings.job_rows_max:
        raise invalid("body.rows", f"a job has at most {service.settings.job_rows_max} rows; send several")

    def work() -> Job:
        return service.jobs.submit(items, pictures, idempotency_key=key, callback_url=callback_url)

    return await run_in_threadpool(work)
