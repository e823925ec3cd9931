"""`/v1/compare`: how do two pictures relate, and where do they differ?"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from indexer.examine.comparison import Comparison, PictureComparison, compare_pictures
from search_api.bodies.compare import CompareFields
from search_api.bodies.fields import Sha256
from search_api.bodies.forms import Form, invalid, read_form, validated
from search_api.layers.errors import responses
from search_api.openapi import example, file_body
from search_api.service.service import Service, Serving

router = APIRouter(prefix="/v1", tags=["search"])

Format = Annotated[
    Literal["json", "png"], Query(description="`json`: everything; `png`: both pictures and where they differ.")
]
_DESCRIPTION = (
    "All relations, the surest first, where each picture lies in the other, what the detector says of each picture and "
    "each file of its own origin, and where they differ; or the latter as a PNG."
)


@router.post(
    "/compare",
    summary="Compare two pictures",
    response_model=Comparison,
    response_description=_DESCRIPTION,
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
async def compare(request: Request, service: Serving, format: Format = "json") -> Comparison | Response:
    """Same file, same picture, a shared part, same origin? And where do two that can be laid over each other differ?

    The second picture is the file `b`, or an image of the catalogue by its SHA-256 in `image_id`. Neither picture is
    added. A known image is compared by its kept original, else by its thumbnail, which the statements then say. A
    difference says that one of the two was changed, not which one. What a file says of its own origin changes none of
    the relations.
    """
    async with read_form(request, service.heavy, max_files=2) as form:
        compared = await _compared(service, form)
        return await _answered(service, compared, format)


@router.get(
    "/compare",
    summary="Compare two images of the catalogue",
    response_model=Comparison,
    response_description=_DESCRIPTION,
    responses={
        200: {"content": {**example("compare")[200]["content"], "image/png": {}}},
        **responses(400, 404, 422, 503),
    },
)
async def compare_known(
    service: Serving,
    a: Annotated[Sha256, Query(description="SHA-256 of the first image.")],
    b: Annotated[Sha256, Query(description="SHA-256 of the second image.")],
    format: Format = "json",
) -> Comparison | Response:
    """The same as `POST /v1/compare`, of two images that are both known."""
    with service.heavy.place():
        compared = await service.labour(lambda: compare_pictures(service.workspace, a, b))
        return await _answered(service, compared, format)


async def _answered(service: Service, compared: PictureComparison, format: str) -> Comparison | Response:
    if format == "json":
        return compared.comparison
    return Response(await service.labour(compared.png), media_type="image/png")


async def _compared(service: Service, form: Form) -> PictureComparison:
    first = form.single("a")
    known = validated(CompareFields, form.values(frozenset())).image_id
    if (known is None) != any(upload.field != "a" for upload in form.files):
        raise invalid("body.b", "give either the file `b` or the field `image_id`")
    largest, workspace = service.settings.max_file_bytes, service.workspace
    if known is not None:
        return await service.labour(lambda: compare_pictures(workspace, first.read(largest), known))
    second = form.single("b")
    return await service.labour(lambda: compare_pictures(workspace, first.read(largest), second.read(largest)))
