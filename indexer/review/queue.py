"""What waits for a person to decide, kind by kind: suggested members of campaigns, matches of watches, disputed labels,
images without a label that are copies of known fakes or on a hash list, and pictures that look fake and fit nowhere.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from indexer.campaigns.grouping.evidence import COMPARABLE_FAKES
from indexer.campaigns.novelty import Comparer, unlike_known
from indexer.campaigns.reasons import reasons_words
from indexer.catalog import cursors, hash_lists, reviews
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import reasons as campaign_reasons
from indexer.catalog.database import Catalog
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import Image, ImageDetails
from indexer.catalog.records.pages import Page
from indexer.catalog.records.reviews import ReviewKey
from indexer.catalog.watches import events as watch_events
from indexer.catalog.watches import watches
from indexer.detector import ResolvedDetector
from indexer.errors import UsageError
from indexer.imaging.content import has_few_tones, has_too_little
from indexer.index import SearchIndex
from indexer.settings import Settings
from indexer.verdict.active_calibration import ActiveCalibration
from indexer.vocabulary import LabelValue, ReviewKind

_CURSOR: Final = "things to review"
_ROUNDS: Final = 20
"""How often a page of the queue reads on, however few it holds by then."""
_KEY: Final = re.compile(r"([a-z_]{1,32})\.([0-9a-f]{64})(?:\.([a-z0-9_]{1,64}))?")
_QUESTIONS: Final[Mapping[ReviewKind, str]] = {
    ReviewKind.CAMPAIGN_MEMBER: "Does this picture belong to the campaign?",
    ReviewKind.WATCH_EVENT: "Does this match matter?",
    ReviewKind.DISPUTED_LABEL: "Is this picture fake?",
    ReviewKind.KNOWN_COPY: "Is this the same picture as the known fake?",
    ReviewKind.LISTED_HASH: "Is this picture fake, as the hash list says?",
    ReviewKind.NOVELTY: "Is this picture fake?",
}


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """Something that waits for a person.

    Attributes:
        id: names it in decisions; the same until it is decided.
        kind: why it waits.
        image: the picture it is about.
        question: what a person is asked, answered by yes, no or cannot tell.
        why: what speaks for yes, in sentences.
        beside: a known image to compare it with, if any.
        campaign, campaign_name: which campaign it is about, if any.
        watch, watch_name: which watch found it, if any.
        assigned_to: who is to look at it, if somebody is named.
    """

    id: str
    kind: ReviewKind
    image: Image
    question: str
    why: tuple[str, ...]
    beside: Image | None = None
    campaign: str | None = None
    campaign_name: str | None = None
    watch: str | None = None
    watch_name: str | None = None
    assigned_to: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewSources:
    """Where the queue comes from: the catalogue, and the index of the detector in use."""

    catalog: Catalog
    index: SearchIndex
    resolved: ResolvedDetector
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An item before its images are read."""

    key: ReviewKey
    why: tuple[str, ...]
    beside: str | None = None
    name: str | None = None


_Source = Callable[[ReviewSources, int, str | None], Page[_Waiting]]


def key_of(item: str) -> ReviewKey:
    """What an item's id names.

    Raises:
        UsageError: it is no such id.
    """
    parts = _KEY.fullmatch(item)
    if parts is None or parts[1] not in set(ReviewKind):
        raise UsageError("not the id of something to review: take it from the list")
    return ReviewKey(ReviewKind(parts[1]), parts[2], parts[3] or "")


def queue(
    by: ReviewSources,
    limit: int,
    cursor: str | None = None,
    *,
    kinds: Sequence[ReviewKind] = tuple(ReviewKind),
    assigned_to: str | None = None,
) -> Page[ReviewItem]:
    """What waits, kind by kind; decided items are left out.

    A page reads a bounded part of the catalogue: it may hold fewer items than `limit`, even none, and have a next one.

    Args:
        by: where it comes from.
        limit: most items.
        cursor: of the page before.
        kinds: of these kinds alone, in this order.
        assigned_to: only what this person is to look at.

    Raises:
        UsageError: a bad limit or cursor.
    """
    cursors.check_limit(limit)
    place, inner = cursors.decode(_CURSOR, cursor, int, str) or (0, "")
    if not 0 <= place <= len(kinds):
        raise UsageError("the cursor is of a list of other kinds: begin with the first page")
    items: list[ReviewItem] = []
    for _ in range(_ROUNDS):
        if place == len(kinds):
            return Page(tuple(items), None)
        page = _SOURCES[kinds[place]](by, limit - len(items), inner or None)
        with by.catalog.reading() as session:
            items += [
                item
                for item in _described(session, page.items)
                if assigned_to is None or item.assigned_to == assigned_to
            ]
        place, inner = (place, page.next_cursor) if page.next_cursor else (place + 1, "")
        if len(items) == limit:
            break
    return Page(tuple(items), None if place == len(kinds) else cursors.encode(_CURSOR, place, inner))


def _described(session: Session, waiting: Sequence[_Waiting]) -> Iterator[ReviewItem]:
    """The items with their images, without decided ones and those whose image is gone."""
    keys = [item.key for item in waiting]
    decided, people = reviews.in_force(session, keys), reviews.assigned(session, keys)
    names = {key.sha256 for key in keys} | {item.beside for item in waiting if item.beside is not None}
    known = {details.image.sha256: details for details in _details(session, sorted(names))}
    for item in waiting:
        if item.key in decided or item.key.sha256 not in known:
            continue
        member, watch = item.key.kind is ReviewKind.CAMPAIGN_MEMBER, item.key.kind is ReviewKind.WATCH_EVENT
        yield ReviewItem(
            item.key.id,
            item.key.kind,
            known[item.key.sha256].image,
            _QUESTIONS[item.key.kind],
            item.why,
            beside=known[item.beside].image if item.beside in known else None,
            campaign=item.key.subject if member else None,
            campaign_name=item.name if member else None,
            watch=item.key.subject if watch else None,
            watch_name=item.name if watch else None,
            assigned_to=people.get(item.key),
        )


def _details(session: Session, sha256s: Sequence[str]) -> Sequence[ImageDetails]:
    return tuple(images.details(session, list(images.find_ids(session, sha256s).values())).values())


def _members(by: ReviewSources, limit: int, cursor: str | None) -> Page[_Waiting]:
    with by.catalog.reading() as session:
        page = reviews.suggested_members(session, limit, cursor)
        reasons = campaign_reasons.of_images(session, [member.image_id for member in page.items])
        named = {member.campaign: campaigns.get(session, member.campaign) for member in page.items}
    waiting = []
    for member in page.items:
        campaign, own = named[member.campaign], reasons.get(member.image_id, ())
        other = next((reason.other for reason in own if reason.other is not None), None)
        key = ReviewKey(ReviewKind.CAMPAIGN_MEMBER, member.sha256, member.campaign)
        waiting.append(_Waiting(key, reasons_words(own), other, None if campaign is None else campaign.name))
    return Page(tuple(waiting), page.next_cursor)


def _events(by: ReviewSources, limit: int, cursor: str | None) -> Page[_Waiting]:
    with by.catalog.reading() as session:
        page = watch_events.page(session, None, limit, cursor)
        found = {event.watch: watches.get(session, event.watch) for event in page.items}
    waiting = tuple(
        _Waiting(
            ReviewKey(ReviewKind.WATCH_EVENT, event.sha256, event.watch),
            (event.statement,),
            found[event.watch].image,
            found[event.watch].name,
        )
        for event in page.items
    )
    return Page(waiting, page.next_cursor if len(page.items) == limit else None)  # its list always has a next page


def _disputed(by: ReviewSources, limit: int, cursor: str | None) -> Page[_Waiting]:
    with by.catalog.reading() as session:
        page = reviews.disputed(session, limit, cursor)
        said = {details.image.sha256: details for details in _details(session, [image.sha256 for image in page.items])}
    return page.map(
        lambda image: _Waiting(
            ReviewKey(ReviewKind.DISPUTED_LABEL, image.sha256),
            tuple(f"{label.source} says {label.value.value}." for label in said[image.sha256].labels),
        )
    )


def _copies(by: ReviewSources, limit: int, cursor: str | None) -> Page[_Waiting]:
    """Images without a label whose PDQ hash is as near to that of a known fake as a copy's."""

    def waiting(session: Session, unlabelled: Sequence[Image]) -> Iterator[_Waiting]:
        hashes = [bytes.fromhex(image.pdq) for image in unlabelled]
        bits = by.settings.same_picture_max_distance
        hits = by.index.view().same_picture(hashes, bits, COMPARABLE_FAKES) if hashes else ()
        nearest: dict[int, tuple[int, int]] = {}
        for hit in sorted(hits, key=lambda hit: (hit.distance, hit.image_id)):
            nearest.setdefault(hit.query_index, (hit.image_id, hit.distance))
        names = images.sha256_of(session, [image_id for image_id, _ in nearest.values()])
        for row, (image_id, distance) in sorted(nearest.items()):
            if image_id in names:
                why = f"Its PDQ hash is {distance} of 256 bits from that of a known fake; copies have up to {bits}."
                yield _Waiting(ReviewKey(ReviewKind.KNOWN_COPY, unlabelled[row].sha256), (why,), names[image_id])

    return _unlabelled(by, limit, cursor, waiting)


def _listed(by: ReviewSources, limit: int, cursor: str | None) -> Page[_Waiting]:
    """Images without a label that a hash list names as fake."""
    if not by.index.view().knows_lists:
        return Page((), None)

    def waiting(session: Session, unlabelled: Sequence[Image]) -> Iterator[_Waiting]:
        hashes = [bytes.fromhex(image.pdq) for image in unlabelled]
        bits = by.settings.same_picture_max_distance
        hits = by.index.view().listed_picture(hashes, bits) if hashes else ()
        entries = hash_lists.by_id(session, [hit.image_id for hit in hits])
        said: dict[int, str] = {}
        for hit in sorted(hits, key=lambda hit: (hit.distance, hit.image_id)):
            entry = entries.get(hit.image_id)
            if entry is not None and entry.label is LabelValue.FAKE:
                words = f"The hash list {entry.source} has a PDQ hash {hit.distance} of 256 bits away, as fake."
                said.setdefault(hit.query_index, words)
        for row, words in sorted(said.items()):
            yield _Waiting(ReviewKey(ReviewKind.LISTED_HASH, unlabelled[row].sha256), (words,))

    return _unlabelled(by, limit, cursor, waiting)


def _unlabelled(
    by: ReviewSources,
    limit: int,
    cursor: str | None,
    waiting: Callable[[Session, Sequence[Image]], Iterator[_Waiting]],
) -> Page[_Waiting]:
    """What waits among the next `limit` images without a label, newest first."""
    by.index.refresh()
    with by.catalog.reading() as session:
        page = images.page(session, ImageFilter(label=LabelValue.UNKNOWN), limit=limit, cursor=cursor)
        telling = [
            image
            for image in page.items
            if not image.label.disputed
            and image.pdq_quality >= by.settings.pdq_min_quality
            and not has_too_little(image.content, image.pdq_quality)
            and not has_few_tones(image.content)
        ]
        return Page(tuple(waiting(session, telling)), page.next_cursor)


def _novelties(by: ReviewSources, limit: int, cursor: str | None) -> Page[_Waiting]:
    if not by.resolved.spec.trained:
        return Page((), None)
    calibration = ActiveCalibration(by.catalog, by.resolved).get()
    page = unlike_known(Comparer(by.catalog, by.index, by.resolved, by.settings, calibration), limit, cursor)
    return page.map(
        lambda novelty: _Waiting(
            ReviewKey(ReviewKind.NOVELTY, novelty.image.sha256),
            (
                f"The detector scores it {novelty.p_fake or 0:.3f} on its scale from 0 to 1: a signal, not proof.",
                "It resembles no known fake.",
            ),
            novelty.nearest,
        )
    )


_SOURCES: Final[Mapping[ReviewKind, _Source]] = {
    ReviewKind.CAMPAIGN_MEMBER: _members,
    ReviewKind.WATCH_EVENT: _events,
    ReviewKind.DISPUTED_LABEL: _disputed,
    ReviewKind.KNOWN_COPY: _copies,
    ReviewKind.LISTED_HASH: _listed,
    ReviewKind.NOVELTY: _novelties,
}
