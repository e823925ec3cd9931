"""`/v1/campaigns`: groups of images that belong together, as the last clustering found them and analysts decided."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.convertors import StringConvertor, register_url_convertor

from indexer.campaigns import decisions
from indexer.campaigns.decisions import Author
from indexer.campaigns.report.member_reasons import ShownMember, shown_members
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.records.campaigns import Campaign, RejectedMember
from indexer.catalog.records.pages import Page
from search_api.bodies.campaigns import NewName
from search_api.bodies.fields import Cursor, Limit
from search_api.layers.errors import responses
from search_api.layers.preconditions import NO_ANSWER, UNCONDITIONAL, IfMatch, Tagged
from search_api.openapi import NOT_MODIFIED, example, json_example
from search_api.service.service import Serving
from search_api.service.versions import campaign_version


class _CampaignId(StringConvertor):
    """The part of a path that names a campaign: `events` and `decisions` are resources of their own."""

    regex = "(?!(?:events|decisions)(?:/|$))[^/]+"


register_url_convertor("campaign", _CampaignId())
router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])

CampaignId = Annotated[str, Path(max_length=64, description="Id of the campaign, `cmp_…`.")]


@router.get("", summary="List campaigns", responses={**example("campaigns"), **responses(422)})
def list_campaigns(service: Serving, limit: Limit = 50, cursor: Cursor = None) -> Page[Campaign]:
    """Campaigns, largest first. They are found by `dejafake cluster`."""
    with service.workspace.catalog.reading() as session:
        return campaigns.page(session, limit, cursor)


@router.get(
    "/{campaign_id:campaign}",
    summary="A campaign",
    responses={**example("campaign"), **NOT_MODIFIED, **responses(404, 410, 422)},
)
def get(service: Serving, campaign_id: CampaignId, answer: Tagged = NO_ANSWER) -> Campaign:
    """How large the campaign is, how close its members are, when and where it was seen, and what analysts decided
    about it.

    For a campaign that no longer exists, the answer is a problem that says what happened to it and names its successor.
    """
    with service.workspace.catalog.reading() as session:
        campaign = campaigns.existing(session, campaign_id)
        answer.tag(campaign_version(session, campaign))
        return campaign


@router.patch(
    "/{campaign_id:campaign}",
    summary="Rename a campaign",
    responses=responses(404, 410, 412, 422, 503),
    openapi_extra=json_example("rename"),
)
def rename(
    service: Serving,
    campaign_id: CampaignId,
    body: NewName,
    condition: IfMatch = UNCONDITIONAL,
    answer: Tagged = NO_ANSWER,
) -> Campaign:
    """Renames the campaign; its id stays the same. The change is recorded as a decision, which can be undone."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: campaign_version(session, campaigns.existing(session, campaign_id)))
        decisions.rename(session, campaign_id, body.name, Author(body.by, body.note))
        campaign = campaigns.existing(session, campaign_id)
        answer.tag(campaign_version(session, campaign))
        return campaign


@router.get(
    "/{campaign_id}/members",
    summary="Members of a campaign",
    responses={**example("members"), **responses(404, 410, 422)},
)
def members(service: Serving, campaign_id: CampaignId, limit: Limit = 50, cursor: Cursor = None) -> Page[ShownMember]:
    """Exemplars first, then by falling strength, each with the reasons it belongs here and whether an analyst confirmed
    it."""
    with service.workspace.catalog.reading() as session:
        campaigns.existing(session, campaign_id)
        return shown_members(session, campaign_id, limit, cursor)


@router.get(
    "/{campaign_id}/rejected",
    summary="Images rejected from a campaign",
    responses={**example("rejected"), **responses(404, 410, 422)},
)
def rejected(
    service: Serving, campaign_id: CampaignId, limit: Limit = 50, cursor: Cursor = None
) -> Page[RejectedMember]:
    """Images that analysts rejected from the campaign, newest first, with who rejected them and why."""
    with service.workspace.catalog.reading() as session:
        campaigns.existing(session, campaign_id)
        return campaign_decisions.rejected(session, campaign_id, limit, cursor)
