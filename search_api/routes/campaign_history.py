"""`/v1/campaigns/events` and `/v1/campaigns/decisions`: what happened to campaigns, what analysts decide about them."""

from typing import Annotated

from fastapi import APIRouter, Path

from indexer.campaigns import decisions
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.records.campaigns import CampaignEvent, Decision, Placement
from indexer.catalog.records.pages import Page
from search_api.bodies.campaign_history import DecisionRequest, UndoRequest
from search_api.bodies.fields import Cursor, Limit
from search_api.layers.errors import responses
from search_api.layers.preconditions import NO_ANSWER, UNCONDITIONAL, IfMatch, Tagged
from search_api.openapi import NOT_MODIFIED, example, json_example
from search_api.routes.campaigns import CampaignId
from search_api.service.service import Serving
from search_api.service.versions import campaign_version, version

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])

DecisionNumber = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of the decision.")]


@router.get("/events", summary="What happened to campaigns", responses={**example("events"), **responses(422)})
def list_events(service: Serving, limit: Limit = 50, cursor: Cursor = None) -> Page[CampaignEvent]:
    """Births, deaths, merges, splits, renames, growth and shrinkage of all campaigns, newest first, each with the
    clustering run or the decision that made it happen."""
    with service.workspace.catalog.reading() as session:
        return campaign_events.page(session, limit, cursor)


@router.get("/decisions", summary="What analysts decided", responses={**example("decisions"), **responses(422)})
def list_decisions(service: Serving, limit: Limit = 50, cursor: Cursor = None) -> Page[Decision]:
    """Decisions about all campaigns, newest first, undone ones and undos too: who, when, why."""
    with service.workspace.catalog.reading() as session:
        return campaign_decisions.page(session, limit, cursor)


@router.get(
    "/decisions/{number}",
    summary="A decision",
    responses={**example("decision"), **NOT_MODIFIED, **responses(404, 422)},
)
def get_decision(service: Serving, number: DecisionNumber, answer: Tagged = NO_ANSWER) -> Decision:
    """What was decided, by whom, when and why, and whether it was undone."""
    with service.workspace.catalog.reading() as session:
        decision = campaign_decisions.get(session, number)
    answer.tag(version(decision))
    return decision


@router.get(
    "/decisions/{number}/images",
    summary="Images a decision is about",
    responses={**example("decision-images"), **responses(404, 422)},
)
def list_images_of(
    service: Serving, number: DecisionNumber, limit: Limit = 50, cursor: Cursor = None
) -> Page[Placement]:
    """For each SHA-256, the campaign it was in before and the one it was moved to; null means none."""
    with service.workspace.catalog.reading() as session:
        campaign_decisions.get(session, number)
        return campaign_decisions.images_page(session, number, limit, cursor)


@router.post(
    "/decisions/{number}/undo",
    status_code=201,
    summary="Take a decision back",
    responses={**example("undo", 201), **responses(404, 409, 412, 422, 503)},
    openapi_extra=json_example("undo"),
)
def undo(service: Serving, number: DecisionNumber, body: UndoRequest, condition: IfMatch = UNCONDITIONAL) -> Decision:
    """Undoes what the decision did, at once and for later runs. The undo is recorded as a decision of its own.
    If-Match takes the decision's ETag."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: version(campaign_decisions.get(session, number)))
        return decisions.undo(session, number, body.author)


@router.get(
    "/{campaign_id}/events",
    summary="What happened to a campaign",
    responses={**example("campaign-events"), **responses(404, 422)},
)
def list_events_of(
    service: Serving, campaign_id: CampaignId, limit: Limit = 50, cursor: Cursor = None
) -> Page[CampaignEvent]:
    """Events that involve the campaign, newest first. A campaign that no longer exists keeps its history."""
    with service.workspace.catalog.reading() as session:
        campaigns.check_known(session, campaign_id)
        return campaign_events.page(session, limit, cursor, campaign=campaign_id)


@router.get(
    "/{campaign_id}/decisions",
    summary="What analysts decided about a campaign",
    responses={**example("campaign-decisions"), **responses(404, 422)},
)
def list_decisions_of(
    service: Serving, campaign_id: CampaignId, limit: Limit = 50, cursor: Cursor = None
) -> Page[Decision]:
    """Decisions about the campaign, newest first, undone ones and undos too."""
    with service.workspace.catalog.reading() as session:
        campaigns.check_known(session, campaign_id)
        return campaign_decisions.page(session, limit, cursor, campaign=campaign_id)


@router.post(
    "/{campaign_id}/decisions",
    status_code=201,
    summary="Decide about a campaign",
    responses={**example("decide", 201), **responses(404, 409, 410, 412, 422, 503)},
    openapi_extra=json_example("decide"),
)
def decide(
    service: Serving, campaign_id: CampaignId, body: DecisionRequest, condition: IfMatch = UNCONDITIONAL
) -> Decision:
    """Takes effect at once and binds every later run until it is undone. A decision that contradicts an earlier one
    is refused; the answer gives the number of the earlier one. If-Match takes the campaign's ETag."""
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: campaign_version(session, campaigns.existing(session, campaign_id)))
        return body.carry_out(session, campaign_id)
