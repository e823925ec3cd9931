"""Reads ClaimReview and MediaReview as real feeds write them.

Feeds deviate: comma-joined labels, digests under `sha256sum`, old property names, objects named by reference, lists in
lists with nulls between. What is understood becomes a field; everything else is kept in `other`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from indexer.errors import SourceError
from indexer.exchange.reviews.categories import Category, categories_of
from indexer.exchange.reviews.markup import MAX_DEPTH, documents
from indexer.exchange.reviews.nodes import Node, References, term, types_of
from indexer.exchange.reviews.records import ClaimReview, MediaAppearance, MediaReview, Party, Rating, ReviewsRead
from indexer.sources.cells import as_url
from indexer.sources.times import as_time

MAX_REVIEWS = 500_000
_DIGEST = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_DIGESTS_AND_NAMES = ("sha256", "sha256sum", "sha256Sum")
_APPEARANCES = ("mediaItemAppearance", "appearance", "firstAppearance", "associatedMedia")
_TELLTALES = {"ClaimReview": "claimReviewed", "MediaReview": "mediaAuthenticityCategory"}
"""A property that only one kind of review has, because feeds that flatten their reviews omit the type."""


def read_reviews(data: str | bytes) -> ReviewsRead:
    """All ClaimReviews and MediaReviews in a JSON-LD document (alone, in a `@graph`, a DataFeed, a list, or inside any
    other object such as the body of a webhook), or in the script blocks of an HTML page.

    A ClaimReview that belongs to a MediaReview is part of it and is also listed by itself; a repeated review is listed
    once. Nothing is fetched.

    Raises:
        SourceError: neither JSON nor HTML, too long, or nested too deeply.
    """
    values, problems = documents(data)
    reviews: list[ClaimReview | MediaReview] = []
    seen: set[bytes] = set()
    for node, review in reviews_among(values):
        spelled = sha256(json.dumps(node, sort_keys=True).encode()).digest()
        if spelled in seen:
            continue
        if len(reviews) >= MAX_REVIEWS:
            problems.append(f"only the first {MAX_REVIEWS:,} reviews were read; split the feed")
            break
        seen.add(spelled)
        reviews.append(review)
    return ReviewsRead(tuple(reviews), tuple(problems))


def reviews_among(values: list[Any]) -> Iterator[tuple[Mapping[str, Any], ClaimReview | MediaReview]]:
    """All reviews inside JSON values in document order, each with the object it was read from; repeated ones are
    repeated.

    Raises:
        SourceError: nested too deeply.
    """
    references = References()
    for node_values in objects_in(values):
        references.note(node_values)
    for node_values in objects_in(values):
        kind = _kind(node_values)
        if kind is not None:
            node = Node(node_values, references)
            yield node_values, _media_review(node) if kind == "MediaReview" else _claim_review(node)


def objects_in(values: Any) -> Iterator[Mapping[str, Any]]:
    """All objects inside these values in document order, outer ones first; a `@context` is skipped."""
    pending: list[tuple[Any, int]] = [(values, 0)]
    while pending:
        value, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise SourceError(f"the JSON-LD is nested more than {MAX_DEPTH} deep; no feed needs that")
        if isinstance(value, Mapping):
            yield value
            inner = [child for name, child in value.items() if name != "@context"]
            pending.extend((child, depth + 1) for child in reversed(inner))
        elif isinstance(value, list):
            pending.extend((child, depth + 1) for child in reversed(value))


def _kind(value: Mapping[str, Any]) -> str | None:
    types = types_of(value)
    names = {term(name) for name in value}
    for kind, telltale in _TELLTALES.items():
        if kind in types or (not types and telltale in names):
            return kind
    return None


def _media_review(node: Node) -> MediaReview:
    url = node.take("url", _url)
    author = _party(node, "author")
    published = node.take("datePublished", _time)
    language = node.take("inLanguage", _text)
    categories = [
        category
        for categories_of_value in node.take_all("mediaAuthenticityCategory", _categories)
        for category in categories_of_value
    ]
    rating = _rating(node)
    link = node.take("originalMediaLink", _link)
    context = node.take("originalMediaContextDescription", _text)
    claims = tuple(_claim_review(claim) for claim in node.take_nodes("associatedClaimReview"))
    appearances, leftovers = _reviewed_media(node)
    return MediaReview(
        url=url,
        author=author,
        published_at=published,
        language=language,
        categories=tuple(categories),
        rating=rating,
        original_link=link,
        original_context=context,
        appearances=appearances,
        claim_reviews=claims,
        other=_with(node.other, "itemReviewed", leftovers),
    )


def _reviewed_media(node: Node) -> tuple[tuple[MediaAppearance, ...], list[Mapping[str, Any]]]:
    """The appearances of the reviewed media, and the properties of the reviewed items that are not part of one. An item
    without appearances is one itself: many feeds put the ImageObject directly under `itemReviewed`."""
    appearances: list[MediaAppearance] = []
    leftovers: list[Mapping[str, Any]] = []
    for item in node.take_nodes("itemReviewed"):
        places = [appearance for name in _APPEARANCES for appearance in item.take_nodes(name)]
        if places:
            appearances += [_appearance(appearance) for appearance in places]
            leftovers.append(item.other)
        else:
            appearances.append(_appearance(item))
    appearances += [_appearance(appearance) for name in _APPEARANCES for appearance in node.take_nodes(name)]
    return tuple(appearances), leftovers


def _claim_review(node: Node) -> ClaimReview:
    url = node.take("url", _url)
    author = _party(node, "author")
    published = node.take("datePublished", _time)
    language = node.take("inLanguage", _text)
    claim = node.take("claimReviewed", _text)
    rating = _rating(node)
    items = node.take_nodes("itemReviewed")
    claimant = next((party for item in items if (party := _party(item, "author"))), None)
    claimed_at = next((moment for item in items if (moment := item.take("datePublished", _time))), None)
    places = [appearance for item in items for name in _APPEARANCES for appearance in item.take_nodes(name)]
    return ClaimReview(
        url=url,
        author=author,
        published_at=published,
        language=language,
        claim=claim,
        claimed_by=claimant,
        claimed_at=claimed_at,
        rating=rating,
        appearances=tuple(_appearance(appearance) for appearance in places),
        other=_with(node.other, "itemReviewed", [item.other for item in items]),
    )


def _appearance(node: Node) -> MediaAppearance:
    digests = [
        digest
        for name in _DIGESTS_AND_NAMES
        for digests_of_value in node.take_all(name, _digests)
        for digest in digests_of_value
    ]
    return MediaAppearance(
        type=node.types[0] if node.types else None,
        content_url=node.take("contentUrl", _url),
        url=node.take("url", _url),
        archived_at=node.take("archivedAt", _link),
        sha256=tuple(dict.fromkeys(digests)),
        published_at=node.take("uploadDate", _time) or node.take("datePublished", _time),
        caption=node.take("caption", _text),
        other=node.other,
    )


def _party(node: Node, name: str) -> Party | None:
    """The first person or organisation of a property; further ones are kept verbatim."""
    parties = node.take_nodes(name)
    if not parties:
        return None
    if len(parties) > 1:
        node.leave(name)
    first = parties[0]
    return Party(first.take("name", _text), first.take("url", _url) or first.take("sameAs", _url), first.other)


def _rating(node: Node) -> Rating | None:
    ratings = node.take_nodes("reviewRating")
    if not ratings:
        return None
    if len(ratings) > 1:
        node.leave("reviewRating")
    first = ratings[0]
    return Rating(
        text=first.take("alternateName", _text) or first.take("name", _text),
        value=first.take("ratingValue", _text),
        best=first.take("bestRating", _text),
        worst=first.take("worstRating", _text),
        other=first.other,
    )


def _with(other: dict[str, Any], name: str, leftovers: list[Mapping[str, Any]]) -> dict[str, Any]:
    """`other`, plus what was not understood of the objects of one property."""
    left = [dict(leftover) for leftover in leftovers if leftover]
    return {**other, name: left} if left and name not in other else other


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value).strip() or None


def _url(value: Any) -> str | None:
    return as_url(value.strip()) if isinstance(value, str) else None


def _link(value: Any) -> str | None:
    """An address, given as text or as an object that has one and nothing else of interest."""
    if isinstance(value, Mapping):
        value = value.get("url", value.get("contentUrl")) if len(value) <= 2 else None
    return _url(value)


def _time(value: Any) -> datetime | None:
    return as_time(value.strip()) if isinstance(value, str) else None


def _categories(value: Any) -> tuple[Category, ...] | None:
    if isinstance(value, Mapping):
        value = value.get("@id", value.get("name")) if len(value) <= 2 else None
    return (categories_of(value) or None) if isinstance(value, str) else None


def _digests(value: Any) -> list[str] | None:
    """SHA-256 digests in a text: one, several separated by blanks, or with file names as sha256sum prints them."""
    digests = [digest.lower() for digest in _DIGEST.findall(value)] if isinstance(value, str) else []
    return digests or None
