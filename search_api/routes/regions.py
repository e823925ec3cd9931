"""`POST /v1/search/region`: which known fakes contain this region of a picture?"""

from fastapi import APIRouter, Request

from indexer.examine.region_search import RegionAnswer
from search_api.bodies.forms import read_form, validated
from search_api.bodies.regions import RegionFields
from search_api.layers.errors import responses
from search_api.openapi import example, file_body
from search_api.service.service import Serving

router = APIRouter(prefix="/v1", tags=["search"])


@router.post(
    "/search/region",
    summary="Search with a region of a picture",
    response_description="The known fakes that contain the region, strongest match first.",
    responses={**example("region"), **responses(400, 413, 415, 422, 503)},
    openapi_extra=file_body({"image": "The picture."}, RegionFields),
)
async def search_region(request: Request, service: Serving) -> RegionAnswer:
    """Finds known fakes that contain what a box on the picture shows, by local features that must lie alike.

    Known fakes added by an older version need `dejafake regions prepare` first. The picture is not added.
    """
    async with read_form(request, service.heavy, max_files=1) as form:
        picture = form.single("image")
        fields = validated(RegionFields, form.values(frozenset()))
        box = (fields.left, fields.top, fields.right, fields.bottom)
        largest = service.settings.max_file_bytes
        return await service.labour(lambda: service.regions.by_bytes(picture.read(largest), box, fields.limit))
