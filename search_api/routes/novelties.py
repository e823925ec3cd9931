"""`/v1/novelties`: images that fit nothing that is known."""

from typing import Annotated

from fastapi import APIRouter, Query

from indexer.campaigns.novelty import Comparer, Novelty, NoveltyKind, outside_campaigns, unlike_known
from indexer.catalog.records.pages import Page
from indexer.verdict.active_calibration import ActiveCalibration
from search_api.bodies.fields import Cursor, Limit
from search_api.layers.errors import responses
from search_api.openapi import example
from search_api.service.service import Serving

router = APIRouter(prefix="/v1/novelties", tags=["campaigns"])


@router.get("", summary="What fits nothing known", responses={**example("novelties"), **responses(422, 503)})
def novelties(
    service: Serving,
    kind: Annotated[
        NoveltyKind,
        Query(
            description="`outside_campaigns`: known fakes in no campaign. `unlike_known`: pictures nobody labelled "
            "that the detector scores as fake and that are not similar to any known fake."
        ),
    ] = NoveltyKind.OUTSIDE_CAMPAIGNS,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Novelty]:
    """Newest first. A list to look at: a score is a signal, not proof. A page of `unlike_known` looks at a bounded part
    of the catalogue, so it may hold few images, or none, and still have a next one."""
    workspace = service.workspace
    if kind is NoveltyKind.OUTSIDE_CAMPAIGNS:
        return outside_campaigns(workspace.catalog, limit, cursor)
    calibration = ActiveCalibration(workspace.catalog, workspace.resolved).get()
    by = Comparer(workspace.catalog, workspace.index, workspace.resolved, service.settings, calibration)
    return unlike_known(by, limit, cursor)
