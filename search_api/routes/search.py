"""`POST /v1/search`: which known images is this, or is it like?"""

from typing import Final

from fastapi import APIRouter, Request, Response

from indexer.search.answers import SearchAnswer
from search_api.bodies.forms import JSON, MULTIPART, media_type, read_form, unsupported, validated, validated_json
from search_api.bodies.search import SearchByReference, SearchFields, SearchResult
from search_api.layers.errors import responses
from search_api.openapi import example, two_bodies
from search_api.service.pictures import search_with_picture
from search_api.service.service import Service, Serving

router = APIRouter(prefix="/v1", tags=["search"])

REPEATED: Final = frozenset({"collections"})


@router.post(
    "/search",
    summary="Search with a picture, an image id, an embedding or a PDQ hash",
    response_model=SearchResult,
    response_description="Verdict and matches, strongest first. `Server-Timing` tells how long each step took.",
    responses={**example("search"), **responses(400, 404, 413, 415, 422, 503)},
    openapi_extra=two_bodies(SearchFields, {"image": "The picture."}, SearchByReference, "search"),
)
async def search(request: Request, service: Serving) -> Response:
    """Searches the catalogue with a picture.

    Send `multipart/form-data` with the picture in `image` and options as further fields, or `application/json` with
    exactly one of `image_id`, `embedding` and `pdq`. The picture is not added to the catalogue. The verdict is about
    the whole catalogue; filters, `label` and `limit` narrow what is listed.
    """
    kind = media_type(request)
    if kind == MULTIPART:
        async with read_form(request, service.searching, max_files=1) as form:
            options = validated(SearchFields, form.values(REPEATED)).options()
            answer = await search_with_picture(request, service, form.single("image"), options)
        return await service.compute(lambda: _rendered(service, answer))
    if kind == JSON:
        body = await request.body()
        return await service.compute(lambda: _rendered(service, _by_reference(service, body)))
    raise unsupported(MULTIPART, JSON)


def _by_reference(service: Service, body: bytes) -> SearchAnswer:
    query = validated_json(SearchByReference, body)
    options, searcher = query.options(), service.workspace.searcher
    if query.image_id is not None:
        return searcher.by_sha256(query.image_id, options)
    if query.embedding is not None:
        return searcher.by_embedding(query.embedding, options)
    return searcher.by_pdq(query.pdq or "", options)


def _rendered(service: Service, answer: SearchAnswer) -> Response:
    """The response, made here and not in the event loop: many matches are much JSON."""
    service.metrics.searched(answer.milliseconds)
    timing = ", ".join(f"{step};dur={ms:.1f}" for step, ms in answer.milliseconds.items())
    return Response(SearchResult.of(answer).model_dump_json(), media_type=JSON, headers={"Server-Timing": timing})
