"""`POST /v1/compare`: how do two pictures relate?"""

from fastapi import APIRouter, Request

from indexer.answers import Comparison
from search_api.bodies import invalid, read_form
from search_api.errors import responses
from search_api.openapi import example, file_body
from search_api.service import Serving

router = APIRouter(prefix="/v1", tags=["search"])


@router.post(
    "/compare",
    summary="Compare two pictures",
    response_description="All three relations, strongest first, and what the detector says of each picture.",
    responses={**example("compare"), **responses(400, 413, 415, 422, 503)},
    openapi_extra=file_body({"a": "A picture.", "b": "The picture to compare it with."}),
)
async def compare(request: Request, service: Serving) -> Comparison:
    """Same file, same picture, same origin? Neither picture needs to be known, and neither is added."""
    async with read_form(request, max_files=2) as form:
        first, second = form.single("a"), form.single("b")
        if form.fields:
            raise invalid("body", "only the two files `a` and `b` are taken")
        largest = service.settings.max_file_bytes

        def work() -> Comparison:
            return service.workspace.searcher.compare(first.read(largest), second.read(largest))

        return await service.compute(work)
