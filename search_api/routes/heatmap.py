"""`/v1/images/{sha256}/heatmap`: where the embedding of an image looked."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from indexer.catalog.images import images
from indexer.errors import NotFoundError
from indexer.examine.heatmap import HeatMap, heat_map
from search_api.bodies.forms import JSON
from search_api.layers.errors import responses
from search_api.routes.images import ImageId
from search_api.service.service import Serving

router = APIRouter(prefix="/v1/images", tags=["images"])


class HeatMapValues(BaseModel):
    """Where the embedding of an image looked, as numbers.

    `values` are shares that sum to 1, a row of patches after the other from the top left. They cover `box`: left, top,
    right and bottom in pixels of the upright picture; what is outside the detector did not see.
    """

    rows: int
    columns: int
    values: tuple[tuple[float, ...], ...]
    box: tuple[float, float, float, float]
    detector: str
    fingerprint: str
    note: str

    @classmethod
    def of(cls, heat: HeatMap) -> "HeatMapValues":
        """A heat map without its picture."""
        rows, columns = heat.values.shape
        return cls(
            rows=rows,
            columns=columns,
            values=tuple(tuple(row) for row in heat.values.tolist()),
            box=heat.box,
            detector=heat.detector,
            fingerprint=heat.fingerprint,
            note=heat.note,
        )


@router.get(
    "/{sha256}/heatmap",
    summary="Where the embedding of an image looked",
    response_class=Response,
    responses={
        200: {"model": HeatMapValues, "content": {"image/png": {}}, "description": "A PNG, or its numbers as JSON."},
        304: {"description": "Not Modified"},
        **responses(404, 422, 503),
    },
)
async def heatmap(
    request: Request,
    service: Serving,
    sha256: ImageId,
    format: Annotated[
        Literal["png", "json"], Query(description="`png`: drawn over the picture; `json`: the numbers.")
    ] = "png",
) -> Response:
    """The attention rollout of the detector in use, drawn over the part of the picture that the detector saw.

    It shows where the embedding looked. It does not show what was manipulated, and proves nothing. It is computed from
    the original, which must be kept.
    """
    workspace = service.workspace
    tag = f'"{sha256}-{workspace.resolved.fingerprint[:16]}-{format}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}

    def check() -> None:
        with workspace.catalog.reading() as session:
            if not images.find_ids(session, [sha256]):
                raise NotFoundError(f"no image {sha256} in this catalogue")

    def draw() -> bytes:
        drawn = heat_map(workspace, sha256)
        return drawn.png() if format == "png" else HeatMapValues.of(drawn).model_dump_json().encode()

    await run_in_threadpool(check)
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    with service.heavy.place():
        body = await service.labour(draw)
    return Response(body, media_type="image/png" if format == "png" else JSON, headers=headers)
