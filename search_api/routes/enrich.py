"""`/v1/enrich`: many rows at once, answered in the background."""

from collections.abc import Sequence
from typing import Annotated, BinaryIO, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from indexer.catalog import jobs
from indexer.catalog.records.jobs import Job, JobAnswer, NewJobItem
from indexer.catalog.records.pages import Page
from indexer.enrichment.inputs.questions import holds_reviews, job_items
from search_api.bodies.enrich import EnrichFields, EnrichRequest, JobStatus
from search_api.bodies.fields import Cursor, Limit, WebAddress
from search_api.bodies.forms import (
    JSON,
    JSON_LD,
    MULTIPART,
    Form,
    invalid,
    media_type,
    read_form,
    unsupported,
    validated,
    validated_json,
)
from search_api.layers.errors import responses
from search_api.layers.preconditions import NO_ANSWER, UNCONDITIONAL, IfMatch, Tagged
from search_api.openapi import NOT_MODIFIED, example, three_bodies, two_bodies
from search_api.service.service import Service, Serving
from search_api.service.versions import version

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
    openapi_extra=three_bodies(
        two_bodies(EnrichFields, {"files": "The pictures, a row each."}, EnrichRequest, "enrich", many=True),
        "ClaimReview and MediaReview: one, an array, a `@graph`, a DataFeed, or inside any other object.",
    ),
)
async def enrich(
    request: Request,
    response: Response,
    service: Serving,
    idempotency_key: Key = None,
    callback_url: Annotated[
        WebAddress | None,
        Query(description="URL that is called when the job ends, for request bodies that have no field for it."),
    ] = None,
) -> JobStatus:
    """Starts a job that answers rows one after the other. The pictures are not added to the catalogue.

    Send `application/json` with `rows` that have a SHA-256, a PDQ hash or both; `multipart/form-data` with pictures in
    `files`; or `application/ld+json` (or `application/json`) with fact-checks: ClaimReview and MediaReview, as
    `dejafake enrich` reads them. A review is a row, identified by its URL. It gets the most serious of the answers
    to its pictures' SHA-256 or, where these give no match, to the URLs they were seen at.

    Poll the job at its URL, or name a `callback_url`: when the job ends its status is sent there, signed as
    Standard Webhooks says, in the headers `webhook-id` (the job's id), `webhook-timestamp` and `webhook-signature`.
    If too many rows are already waiting, the answer is 503 with `Retry-After`.
    """
    kind = media_type(request)
    if kind == MULTIPART:
        async with read_form(request, service.heavy, max_files=service.settings.max_upload_files) as form:
            job = await _of_pictures(service, form, idempotency_key, callback_url)
    elif kind in (JSON, JSON_LD):
        with service.heavy.place():
            items, told = await run_in_threadpool(_rows, kind, await request.body())
            job = await _submitted(service, items, (), idempotency_key, told or callback_url)
    else:
        raise unsupported(MULTIPART, JSON, JSON_LD)
    status = JobStatus.of(job)
    response.headers["Location"] = status.links["self"]
    return status


@router.get("/{job}", summary="How far a job is", responses={**example("job"), **NOT_MODIFIED, **responses(404, 422)})
def status(service: Serving, job: JobId, answer: Tagged = NO_ANSWER) -> JobStatus:
    """The job's state and how many rows have been answered."""
    with service.workspace.catalog.reading() as session:
        state = JobStatus.of(jobs.get(session, job))
    answer.tag(version(state))
    return state


@router.get("/{job}/results", summary="The answers of a job", responses={**example("results"), **responses(404, 422)})
def results(
    service: Serving,
    job: JobId,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[JobAnswer]:
    """The rows answered so far, in order. While the job is running there is always a `next_cursor`.

    `cells` has the columns of `dejafake enrich`, without a prefix. A row that could not be answered has a `reason`, and
    says why in `error`; it never fails the others.
    """
    with service.workspace.catalog.reading() as session:
        return jobs.answers(session, job, limit, cursor)


@router.delete("/{job}", status_code=204, summary="Forget a job", responses=responses(404, 412, 422, 503))
def delete(service: Serving, job: JobId, condition: IfMatch = UNCONDITIONAL) -> None:
    """Deletes the job with its pictures and answers. A running job stops."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: version(JobStatus.of(jobs.get(session, job))))
        jobs.delete(session, job)
    service.jobs.files.delete(job)


async def _of_pictures(service: Service, form: Form, key: str | None, callback_url: str | None) -> Job:
    uploads = tuple(upload for upload in form.files if upload.field == "files")
    if not uploads or len(uploads) != len(form.files):
        raise invalid("body.files", "send the pictures, at least one, as files in the field `files`")
    said = validated(EnrichFields, form.values(_NO_FIELDS))
    for upload in uploads:
        upload.check(service.settings.max_file_bytes)
    pictures = [upload.content for upload in uploads]
    items = [NewJobItem(upload.name, uploaded=True) for upload in uploads]
    return await _submitted(service, items, pictures, key, said.callback_url or callback_url)


def _rows(kind: str, body: bytes) -> tuple[list[NewJobItem], str | None]:
    """The rows of a JSON body, and where it says that their end is to be told."""
    if kind == JSON_LD or holds_reviews(body):
        return job_items(body), None
    said = validated_json(EnrichRequest, body)
    return [NewJobItem(row.name, row.sha256, row.pdq) for row in said.rows], said.callback_url


async def _submitted(
    service: Service, items: list[NewJobItem], pictures: Sequence[BinaryIO], key: str | None, callback_url: str | None
) -> Job:
    if len(items) > service.settings.job_rows_max:
        raise invalid("body.rows", f"a job has at most {service.settings.job_rows_max} rows; send several")

    def work() -> Job:
        return service.jobs.submit(items, pictures, idempotency_key=key, callback_url=callback_url)

    return await run_in_threadpool(work)
