"""`/review`: one queue of everything that waits for a person, decided with one key each."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from indexer.errors import ConflictError, NotFoundError
from indexer.vocabulary import ReviewChoice, ReviewKind
from search_api.bodies.fields import NAME_MAX, Cursor
from search_api.bodies.forms import validated
from search_api.bodies.reviews import ReviewAnswer, ReviewAssignment, ReviewTakenBack
from search_api.routes import reviews as routes
from search_api.service.service import Serving
from search_api.web.forms import own_address, posted
from search_api.web.language import N_
from search_api.web.page import NavEntry, Toast, gettext_of, render, see_other, wants_part
from search_api.web.session import author_of

router = APIRouter(prefix="/review", include_in_schema=False)
NAV: Final = NavEntry(40, N_("Review"), "/review")

_A_PAGE: Final = 24
_DIGITS: Final = 18
_KINDS: Final = {
    ReviewKind.CAMPAIGN_MEMBER: N_("Suggested campaign members"),
    ReviewKind.WATCH_EVENT: N_("Matches of watches"),
    ReviewKind.DISPUTED_LABEL: N_("Disputed labels"),
    ReviewKind.KNOWN_COPY: N_("Copies of known fakes without a label"),
    ReviewKind.LISTED_HASH: N_("On a hash list"),
    ReviewKind.NOVELTY: N_("Like nothing known"),
}
_DONE: Final = {
    ReviewChoice.YES: N_("Decided: yes."),
    ReviewChoice.NO: N_("Decided: no."),
    ReviewChoice.CANNOT_TELL: N_("Set aside: cannot tell."),
}
_REASONS: Final = (
    N_("The picture is too small or too poor"),
    N_("The original is needed"),
    N_("Somebody who knows the subject must look"),
    N_("It is both, in parts"),
)
"""Why somebody cannot tell, one key each."""

ItemId = Annotated[str, Path(max_length=200)]


@router.get("")
def review(
    request: Request,
    service: Serving,
    kind: Annotated[ReviewKind | None, Query()] = None,
    assigned_to: Annotated[str | None, Query(max_length=NAME_MAX)] = None,
    cursor: Cursor = None,
) -> Response:
    """What waits, of one kind or of all, of one person or of everybody."""
    person = (assigned_to or "").strip() or None
    page = routes.list_items(service, None if kind is None else [kind], person, _A_PAGE, cursor)
    given = {name: value for name, value in (("kind", kind), ("assigned_to", person)) if value}
    return render(
        request,
        "review.html",
        items=page.items,
        kind=kind,
        kinds=_KINDS,
        reasons=_REASONS,
        counts=routes.count(service).waiting,
        assigned_to=person or "",
        following=_address({**given, "cursor": page.next_cursor}) if page.next_cursor else "",
        addresses={each: _address({**given, "kind": each}) for each in _KINDS},
        everything=_address({name: value for name, value in given.items() if name != "kind"}),
        writable=not service.workspace.catalog.read_only,
    )


@router.post("/{item}/decision")
async def decide(request: Request, service: Serving, item: ItemId) -> Response:
    """Keeps a decision; for a script a message that can take it back, otherwise the queue again."""
    fields = (await posted(request)).fields
    values = {name: fields[name][0] for name in ("choice", "reason") if name in fields}
    answer = validated(ReviewAnswer, {**values, "by": author_of(request)})
    following = own_address(fields.get("next", ("",))[0], "/review")
    try:
        done = await run_in_threadpool(routes.decide, service, item, answer)
    except ConflictError as error:
        if wants_part(request):
            raise
        return see_other(request, following, Toast(str(error)))
    words = gettext_of(request)(_DONE[done.choice])
    if wants_part(request):
        return render(request, "parts/review_done.html", words=words, number=done.number, following=following)
    return see_other(request, following, Toast(words, f"/review/decisions/{done.number}/undo", {"next": following}))


@router.post("/decisions/{number}/undo")
async def take_back(request: Request, service: Serving, number: str) -> Response:
    """Takes a decision back; the item waits again."""
    fields = (await posted(request)).fields
    if not number.isdecimal() or len(number) > _DIGITS:
        raise NotFoundError("there is no decision of this number")
    await run_in_threadpool(routes.take_back, service, int(number), ReviewTakenBack(by=author_of(request)))
    following = own_address(fields.get("next", ("",))[0], "/review")
    return see_other(request, following, Toast(gettext_of(request)(N_("The decision was taken back."))))


@router.post("/{item}/assignment")
async def assign(request: Request, service: Serving, item: ItemId) -> Response:
    """Names who is to look at an item."""
    fields = (await posted(request)).fields
    person = fields.get("person", ("",))[0]
    body = validated(ReviewAssignment, {"person": person or None, "by": author_of(request)})
    await run_in_threadpool(routes.assign, service, item, body)
    following = own_address(fields.get("next", ("",))[0], "/review")
    return see_other(request, following, Toast(gettext_of(request)(N_("Who is to look was changed."))))


def _address(given: dict[str, str]) -> str:
    return f"/review?{urlencode(given)}" if given else "/review"
