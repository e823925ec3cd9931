"""`/v1/hash-lists` and `/v1/hashes`: known fakes as hashes without pictures, other people's in and ours out."""

import tempfile
from collections.abc import Iterator
from typing import IO, Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from indexer.catalog import hash_lists
from indexer.catalog.records.hash_lists import HashList
from indexer.catalog.records.pages import Page
from indexer.exchange.hash_lists import ListImport, export_hashes, import_hashes
from search_api.bodies.fields import NAME_MAX, Cursor, Limit
from search_api.bodies.forms import Upload, invalid, read_form, validated
from search_api.bodies.hash_lists import HashExport, ImportFields
from search_api.layers.errors import responses
from search_api.layers.preconditions import NO_ANSWER, UNCONDITIONAL, IfMatch, Tagged
from search_api.openapi import NOT_MODIFIED, example, file_body
from search_api.service.service import Service, Serving
from search_api.service.versions import version

router = APIRouter(prefix="/v1", tags=["hash lists"])

ListName = Annotated[str, Path(max_length=NAME_MAX, description="Name of the list.")]
_NO_FIELDS: Final[frozenset[str]] = frozenset()
_IN_MEMORY: Final = 1024 * 1024
_PIECE: Final = 64 * 1024


@router.post(
    "/hash-lists",
    summary="Import a hash list",
    response_description="How many hashes were added, and what is wrong with which line.",
    responses={**example("hash-list-import"), **responses(400, 409, 413, 415, 422, 503)},
    openapi_extra=file_body({"file": "The hashes, one a line."}, ImportFields),
)
async def add(request: Request, service: Serving) -> ListImport:
    """Adds the hashes of a text file to the list `source`. Searches then find its entries.

    Accepted are `pdq HASH` lines, as ThreatExchange and HMA write them, `sha256 HASH`, bare hashes of 64 hex digits
    with
    `algorithm` given, `hash,quality,file` as Meta's tools write it, what sha256sum prints, tables with a header, JSON
    and JSON Lines; empty lines and comments are skipped. A PDQ hash of 60 to 63 digits, the first not 0, is padded
    with leading zeros. PDQ hashes of too low a quality are `left_out`. A malformed line does not stop the import:
    it is counted, and the first ones are described with their line numbers in `problems`. If no line holds a usable
    hash, the answer is 422 with these problems. Sending the list again adds what is new. If a list takes longer
    than a request may, send it in parts or use `dejafake hashes import`.
    """
    async with read_form(request, service.heavy, max_files=1) as form:
        upload = form.single("file")
        said = validated(ImportFields, form.values(_NO_FIELDS))
        done = await run_in_threadpool(_imported, service, upload, said)
    if done.malformed + done.left_out and not done.added + done.known:
        raise invalid("body.file", f"no line holds a hash to take; {'; '.join(done.problems[:3])}")
    return done


@router.get("/hash-lists", summary="List hash lists", responses={**example("hash-lists"), **responses(422)})
def list_lists(
    service: Serving,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[HashList]:
    """The lists by name, what each says of its images, and how many hashes it holds."""
    with service.workspace.catalog.reading() as session:
        return hash_lists.page(session, limit, cursor)


@router.get("/hash-lists/{name:path}", summary="A hash list", responses={**NOT_MODIFIED, **responses(404, 422)})
def get(service: Serving, name: ListName, answer: Tagged = NO_ANSWER) -> HashList:
    """What the list says of its images, and how many hashes it holds."""
    with service.workspace.catalog.reading() as session:
        hash_list = hash_lists.get(session, name)
    answer.tag(version(hash_list))
    return hash_list


@router.get(
    "/hashes",
    summary="Export the hashes of our images",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/plain": {}}, "description": "The hashes, one a line."}, **responses(422, 503)},
)
def export(service: Serving, query: Annotated[HashExport, Query()]) -> StreamingResponse:
    """The hashes of the catalogue's images that meet the conditions (known fakes unless `label` says otherwise), each
    once and sorted: `pdq HASH` lines, or bare SHA-256. PDQ hashes of pictures with too little structure are left out,
    those that an older version took in another way, and other people's lists."""
    settings = service.settings
    spool = tempfile.SpooledTemporaryFile(_IN_MEMORY, mode="w+", encoding="ascii", newline="")  # noqa: SIM115
    try:
        conditions = query.image_filter(query.wanted_label())
        export_hashes(
            service.workspace.catalog, conditions, query.algorithm, spool, min_quality=settings.pdq_min_quality
        )
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    name = f"known-{query.algorithm.value}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_pieces(spool), media_type="text/plain; charset=utf-8", headers=headers)


@router.delete(
    "/hash-lists",
    status_code=204,
    summary="Delete a hash list by any name",
    responses=responses(404, 412, 422, 503),
)
def delete_named(
    service: Serving,
    name: Annotated[str, Query(max_length=NAME_MAX, description="Name of the list.")],
    condition: IfMatch = UNCONDITIONAL,
) -> None:
    """Deletes the list, whatever its name would mean in a path."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: version(hash_lists.get(session, name)))
        hash_lists.delete(session, name)


@router.delete(
    "/hash-lists/{name:path}", status_code=204, summary="Delete a hash list", responses=responses(404, 412, 422, 503)
)
def delete(service: Serving, name: ListName, condition: IfMatch = UNCONDITIONAL) -> None:
    """Deletes the list with all its hashes; searches no longer find them."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: version(hash_lists.get(session, name)))
        hash_lists.delete(session, name)


def _imported(service: Service, upload: Upload, said: ImportFields) -> ListImport:
    upload.content.seek(0)
    return import_hashes(
        service.workspace.catalog,
        upload.content,
        said.source,
        algorithm=said.algorithm,
        label=said.label,
        min_quality=service.settings.pdq_min_quality,
    )


def _pieces(spool: IO[str]) -> Iterator[str]:
    with spool:
        while piece := spool.read(_PIECE):
            yield piece
