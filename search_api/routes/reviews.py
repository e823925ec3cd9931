"""`/v1/review`: one queue of everything that waits for a person."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session

from indexer import review
from indexer.campaigns.decisions import Author
from indexer.catalog import reviews
from indexer.catalog.records.pages import Page
from indexer.catalog.records.reviews import ReviewDecision, ReviewKey
from indexer.review import ReviewItem, ReviewSources
from indexer.vocabulary import ReviewKind
from search_api.bodies.fields import NAME_MAX, Cursor, Limit
from search_api.bodies.reviews import ReviewAnswer, ReviewAssigned, ReviewAssignment, ReviewTakenBack
from search_api.layers.errors import responses
from search_api.layers.preconditions import NO_ANSWER, UNCONDITIONAL, IfMatch, Tagged
from search_api.openapi import NOT_MODIFIED, example, json_example
from search_api.service.service import Service, Serving
from search_api.service.versions import version

router = APIRouter(prefix="/v1/review", tags=["review"])

ItemId = Annotated[str, Path(max_length=200, description="`id` of the item.")]
Number = Annotated[int, Path(ge=1, lt=2**63, description="Number of the decision.")]
Kinds = Annotated[list[ReviewKind] | None, Query(alias="kind", description="Only these kinds; repeat it for several.")]


class ReviewCounts(BaseModel):
    """How many items wait, of each kind that is counted; the others are looked for only when they are asked."""

    waiting: dict[ReviewKind, int]


@router.get("", summary="What waits for a person", responses={**example("review"), **responses(422, 503)})
def list_items(
    service: Serving,
    kind: Kinds = None,
    assigned_to: Annotated[str | None, Query(max_length=NAME_MAX, description="Only what this person has.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ReviewItem]:
    """Suggested members of campaigns, matches of watches, disputed labels; images without a label that are copies of
    known fakes, are on a hash list, or look fake and fit nowhere. Decided items do not come back.

    A page looks at a bounded part of the catalogue, so it may hold few items, or none, and still have a next one.
    """
    kinds = tuple(dict.fromkeys(kind)) if kind else tuple(ReviewKind)
    return review.queue(_sources(service), limit, cursor, kinds=kinds, assigned_to=assigned_to)


@router.get("/counts", summary="How much waits", responses=example("review-counts"))
def count(service: Serving) -> ReviewCounts:
    """How many suggested members, matches of watches and disputed labels wait."""
    with service.workspace.catalog.reading() as session:
        return ReviewCounts(waiting=reviews.counts(session))


@router.get(
    "/decisions", summary="What was decided in the queue", responses={**example("review-decisions"), **responses(422)}
)
def list_decisions(service: Serving, limit: Limit = 50, cursor: Cursor = None) -> Page[ReviewDecision]:
    """All decisions, those taken back too, newest first."""
    with service.workspace.catalog.reading() as session:
        return reviews.page(session, limit, cursor)


@router.post(
    "/decisions/{number}/undo",
    status_code=201,
    summary="Take a decision of the queue back",
    responses={**example("review-undo", 201), **responses(404, 409, 422, 503)},
    openapi_extra=json_example("review-undo"),
)
def take_back(service: Serving, number: Number, body: ReviewTakenBack) -> ReviewDecision:
    """Undoes what the decision did; the item waits again."""
    with service.workspace.catalog.writing() as session:
        review.take_back(session, number, Author(body.by, body.reason))
        return reviews.get(session, number)


@router.post(
    "/{item}/decision",
    status_code=201,
    summary="Decide about something that waits",
    responses={**example("review-decision", 201), **responses(404, 409, 410, 422, 503)},
    openapi_extra=json_example("review-decision"),
)
def decide(service: Serving, item: ItemId, body: ReviewAnswer) -> ReviewDecision:
    """Yes and no confirm or reject a suggested member, or label an image; the answer says which. When somebody else
    decided meanwhile, nothing is changed and the error says who, when and how."""
    key = review.key_of(item)
    with service.workspace.catalog.writing() as session:
        return review.decide(session, key, body.choice, Author(body.by, body.reason))


@router.get("/{item}/assignment", summary="Who is to look", responses={**NOT_MODIFIED, **responses(422)})
def assignment(service: Serving, item: ItemId, answer: Tagged = NO_ANSWER) -> ReviewAssigned:
    """The person named for an item."""
    key = review.key_of(item)
    with service.workspace.catalog.reading() as session:
        named = _assigned(session, key)
    answer.tag(version(named))
    return named


@router.put(
    "/{item}/assignment",
    summary="Say who is to look",
    responses={**example("review-assignment"), **responses(412, 422, 503)},
    openapi_extra=json_example("review-assignment"),
)
def assign(
    service: Serving,
    item: ItemId,
    body: ReviewAssignment,
    condition: IfMatch = UNCONDITIONAL,
    answer: Tagged = NO_ANSWER,
) -> ReviewAssignment:
    """Names one person; the one named before is replaced."""
    key = review.key_of(item)
    with service.workspace.catalog.writing() as session:
        condition.require(lambda: version(_assigned(session, key)))
        reviews.assign(session, key, body.person, body.by)
        named = _assigned(session, key)
    answer.tag(version(named))
    return body


def _assigned(session: Session, key: ReviewKey) -> ReviewAssigned:
    return ReviewAssigned(person=reviews.assigned(session, [key]).get(key))


def _sources(service: Service) -> ReviewSources:
    workspace = service.workspace
    return ReviewSources(workspace.catalog, workspace.index, workspace.resolved, service.settings)
