"""`/campaigns` and `/campaigns/{id}`: groups of images that belong together, and what people decide about them."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from indexer.campaigns import ReportFormat
from indexer.catalog.campaigns import campaigns as catalogued
from indexer.catalog.campaigns import exemplars
from indexer.catalog.images import images
from indexer.catalog.records.images import Image
from indexer.errors import NotFoundError
from search_api.bodies.campaign_history import DecisionRequest, UndoRequest
from search_api.bodies.fields import Cursor
from search_api.bodies.forms import invalid, validated
from search_api.routes import campaign_history, campaigns, reports
from search_api.service.service import Service, Serving
from search_api.service.versions import campaign_version
from search_api.web.forms import form_condition, own_address, posted
from search_api.web.language import N_
from search_api.web.page import NavEntry, SearchRule, Toast, gettext_of, render, see_other
from search_api.web.session import author_of

router = APIRouter(prefix="/campaigns", include_in_schema=False)

_A_PAGE: Final = 48
_HISTORY: Final = 20
_DIGITS: Final = 18
_ID: Final = re.compile(r"cmp_[a-z0-9]{1,60}")
_DECISION: Final[TypeAdapter[Any]] = TypeAdapter(DecisionRequest)
_DONE: Final = {
    "confirm": N_("Confirmed as one campaign."),
    "confirm_member": N_("The images were confirmed."),
    "reject_member": N_("The images were rejected; no later run puts them back."),
    "pin": N_("The campaign is kept as it is."),
    "pin_member": N_("The images are kept in the campaign."),
    "merge": N_("The campaigns were merged."),
    "split": N_("The images are a campaign of their own now."),
    "rename": N_("The campaign was renamed."),
    "annotate": N_("The note was added."),
    "close": N_("The campaign was closed."),
}

CampaignId = Annotated[str, Path(max_length=64)]
NAV: Final = NavEntry(30, N_("Campaigns"), "/campaigns")


def _address(text: str) -> str | None:
    return f"/campaigns/{text}" if _ID.fullmatch(text) else None


SEARCH: Final = SearchRule(20, _address)


@router.get("")
def all_campaigns(request: Request, service: Serving, cursor: Cursor = None) -> Response:
    """All campaigns, largest first, each with an exemplar."""
    page = campaigns.list_campaigns(service, _A_PAGE, cursor)
    with service.workspace.catalog.reading() as session:
        shown = exemplars.one_of_each(session, [campaign.id for campaign in page.items])
    return render(
        request,
        "campaigns.html",
        campaigns=page.items,
        exemplars=shown,
        pictures_by_digest=_images(service, tuple(shown.values())),
        cursor=cursor,
        next_cursor=page.next_cursor,
    )


@router.get("/{campaign_id}")
def campaign(
    request: Request, service: Serving, campaign_id: CampaignId, cursor: Annotated[str | None, Query()] = None
) -> Response:
    """One campaign: its images, exemplars first, why each is in it, its history, and the forms to decide with."""
    with service.workspace.catalog.reading() as session:
        read_version = campaign_version(session, catalogued.existing(session, campaign_id)).tag
    page = campaigns.members(service, campaign_id, _A_PAGE, cursor)
    return render(
        request,
        "campaign.html",
        read_version=read_version,
        campaign=campaigns.get(service, campaign_id),
        members=page.items,
        pictures_by_digest=_images(service, tuple(member.sha256 for member in page.items)),
        rejected=campaigns.rejected(service, campaign_id, _HISTORY).items,
        events=campaign_history.list_events_of(service, campaign_id, _HISTORY).items,
        decisions=campaign_history.list_decisions_of(service, campaign_id, _HISTORY).items,
        cursor=cursor,
        next_cursor=page.next_cursor,
        writable=not service.workspace.catalog.read_only,
    )


@router.get("/{campaign_id}/report")
async def report(
    request: Request,
    service: Serving,
    campaign_id: CampaignId,
    format: ReportFormat = ReportFormat.HTML,
    blur: bool = True,
) -> Response:
    """The report on it, to forward; pictures are blurred unless told otherwise."""
    return await reports.report(request, service, campaign_id, format, None, blur)


@router.post("/{campaign_id}/decisions")
async def decide(request: Request, service: Serving, campaign_id: CampaignId) -> Response:
    """Carries out what the form decides; the message on the next page can take it back."""
    values = (await posted(request)).values(frozenset({"images"}))
    values["by"] = author_of(request)
    try:
        decision = _DECISION.validate_python(values)
    except ValidationError as error:
        if any("images" in fault["loc"] for fault in error.errors()):
            raise invalid("body.images", "choose at least one image first") from None
        raise invalid("body.kind", "the form is not complete: fill in what the decision needs") from None
    condition = form_condition(request)
    done = await run_in_threadpool(campaign_history.decide, service, campaign_id, decision, condition)
    words = gettext_of(request)(_DONE[done.kind])
    following = f"/campaigns/{campaign_id}"
    return see_other(request, following, Toast(words, f"/campaigns/decisions/{done.id}/undo", {"next": following}))


@router.post("/decisions/{number}/undo")
async def undo(request: Request, service: Serving, number: str) -> Response:
    """Takes a decision back."""
    fields = (await posted(request)).fields
    if not number.isdecimal() or len(number) > _DIGITS:
        raise NotFoundError("there is no decision of this number")
    who = validated(UndoRequest, {"by": author_of(request)})
    await run_in_threadpool(campaign_history.undo, service, int(number), who)
    following = own_address(fields.get("next", ("",))[0], "/campaigns")
    return see_other(request, following, Toast(gettext_of(request)(N_("The decision was taken back."))))


def _images(service: Service, sha256s: tuple[str, ...]) -> dict[str, Image]:
    """The images with these digests that are (still) in the catalogue."""
    with service.workspace.catalog.reading() as session:
        ids = images.find_ids(session, sha256s)
        known = images.details(session, list(ids.values()))
        return {details.image.sha256: details.image for details in known.values()}
