"""`POST /v1/compare`: how do two pictures relate, and where do they differ?"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from indexer.answers import Comparison
from indexer.comparison import PictureComparison, compare_pictures, compare_with_known
from search_api.bodies import Form, invalid, read_form, validated
from search_api.errors import responses
from search_api.openapi import example, file_body
from search_api.requests import CompareFields
from search_api.service import Service, Serving

router = APIRouter(prefix="/v1", tags=["search"])


@router.post(
    "/compare",
    summary="Compare two pictures",
    response_model=Comparison,
    response_description="All three relations, strongest first, what the detector says of each picture and each file "
    "of its own origin, and where they differ; or the latter as a PNG.",
    responses={
        200: {"content": {**example("compare")[200]["content"], "image/png": {}}},
        **responses(400, 404, 413, 415, 422, 503),
    },
    openapi_extra=file_body(
        {"a": "A picture."},
        CompareFields,
        optional={"b": "The picture to compare it with; this or `image_id` is needed."},
    ),
)
async def compare(
    request: Request,
    service: Serving,
    format: Annotated[
        Literal["json", "png"], Query(description="`json`: everything; `png`: both pictures and where they differ.")
    ] = "json",
) -> Comparison | Response:
    """Same file, same picture, same origin? And if the two can be laid over each other, where do they differ?

    The second picture is the file `b`, or an image of the catalogue by its SHA-256 in `image_id`. Neither picture is
    added. A known image is compared by its kept original, else by its thumbnail, which the statements then say. A
    difference says that one of the two was changed, not which one. What a file says of its own origin changes none of
    the relations.
    """
    async with read_form(request, max_files=2) as form:
        compared = await _compared(service, form)
    if format == "json":
        return compared.comparison
    return Response(await service.compute(compared.png), media_type="image/png")


async def _compared(service: Service, form: Form) -> PictureComparison:
    first = form.single("a")
    known = validated(CompareFields, form.values(frozenset())).image_id
    if (known is None) != any(upload.field != "a" for upload in form.files):
        raise invalid("body.b", "give either the file `b` or the field `image_id`")
    largest, workspace = service.settings.max_file_bytes, service.workspace
    if known is not None:
        return await service.compute(lambda: compare_with_known(workspace, first.read(largest), known))
    second = form.single("b")
    return await service.compute(lambda: compare_pictures(workspace, first.read(largest), second.read(largest)))
