"""`/v1/campaigns`: groups of images that belong together, as the last clustering found them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session

from indexer.campaigns import CampaignReport, campaign_report
from indexer.catalog import campaigns
from indexer.catalog.records import Campaign, CampaignMember, Page
from indexer.errors import NotFoundError
from search_api.errors import responses
from search_api.openapi import example, json_example
from search_api.requests import NewName
from search_api.service import Serving

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])

CampaignId = Annotated[str, Path(max_length=64, description="Id of the campaign, `cmp_…`.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items on a page.")]
Cursor = Annotated[str | None, Query(max_length=2_000, description="`next_cursor` of the page before.")]


@router.get("", summary="List campaigns", responses={**example("campaigns"), **responses(422)})
def list_campaigns(service: Serving, limit: Limit = 50, cursor: Cursor = None) -> Page[Campaign]:
    """Campaigns, largest first. They are found by `dejafake cluster`."""
    with service.workspace.catalog.reading() as session:
        return campaigns.page(session, limit, cursor)


@router.get("/{campaign_id}", summary="A campaign", responses={**example("campaign"), **responses(404, 422)})
def get(service: Serving, campaign_id: CampaignId) -> Campaign:
    """How large the campaign is, how close its members are, when and where it was seen."""
    with service.workspace.catalog.reading() as session:
        return _found(session, campaign_id)


@router.patch(
    "/{campaign_id}",
    summary="Rename a campaign",
    responses=responses(404, 422, 503),
    openapi_extra=json_example("rename"),
)
def rename(service: Serving, campaign_id: CampaignId, body: NewName) -> Campaign:
    """Gives the campaign the name people use; its id stays."""
    with service.workspace.catalog.writing() as session:
        campaigns.rename(session, campaign_id, body.name)
        return _found(session, campaign_id)


@router.get(
    "/{campaign_id}/members",
    summary="Members of a campaign",
    responses={**example("members"), **responses(404, 422)},
)
def members(
    service: Serving, campaign_id: CampaignId, limit: Limit = 50, cursor: Cursor = None
) -> Page[CampaignMember]:
    """Exemplars first, then by falling strength, each with the reasons it belongs here."""
    with service.workspace.catalog.reading() as session:
        _found(session, campaign_id)
        return campaigns.members(session, campaign_id, limit, cursor)


@router.get(
    "/{campaign_id}/report",
    summary="The report on a campaign, as data",
    responses={**example("report"), **responses(404, 422)},
)
def report(service: Serving, campaign_id: CampaignId) -> CampaignReport:
    """Everything the report's page shows: members with labels and sightings, where and when they were seen, limits."""
    return campaign_report(service.workspace.catalog, campaign_id)


def _found(session: Session, campaign_id: str) -> Campaign:
    found = campaigns.get(session, campaign_id)
    if found is None:
        raise NotFoundError(f"there is no campaign {campaign_id!r}")
    return found
