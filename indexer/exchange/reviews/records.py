"""A review as it was read: fields for what is understood, everything else verbatim in `other`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from indexer.exchange.reviews.categories import Category

Verbatim = Mapping[str, Any]
"""Properties as they stood, by their own names: not understood, or understood but not usable (a date that is none)."""


@dataclass(frozen=True, slots=True)
class Party:
    """A person or an organisation."""

    name: str | None
    url: str | None
    other: Verbatim = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating in the reviewer's own words and numbers, which differ from one to the next and are kept as text."""

    text: str | None = None
    value: str | None = None
    best: str | None = None
    worst: str | None = None
    other: Verbatim = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MediaAppearance:
    """A piece of media at one address. `type` is the schema.org type ("ImageObjectSnapshot"), None if not given.

    `sha256` are digests of its bytes, lower-case hex. `content_url` leads to the bytes, `url` to the page around them;
    reviewers confuse the two. All addresses are http or https and otherwise unchecked: fetch them at your own risk.
    """

    type: str | None = None
    content_url: str | None = None
    url: str | None = None
    archived_at: str | None = None
    sha256: tuple[str, ...] = ()
    published_at: datetime | None = None
    caption: str | None = None
    other: Verbatim = field(default_factory=dict)

    @property
    def is_image(self) -> bool:
        """Whether it says it is a picture, or does not say what it is."""
        return self.type is None or self.type.startswith("Image")


@dataclass(frozen=True, slots=True)
class ClaimReview:
    """A fact-check of a claim. `appearances` is where the claim was made, which may be pages or media."""

    url: str | None
    author: Party | None
    published_at: datetime | None
    language: str | None
    claim: str | None
    claimed_by: Party | None
    claimed_at: datetime | None
    rating: Rating | None
    appearances: tuple[MediaAppearance, ...]
    other: Verbatim


@dataclass(frozen=True, slots=True)
class MediaReview:
    """A fact-check of a piece of media. Its categories are the reviewer's; dejafake takes none of them as a label."""

    url: str | None
    author: Party | None
    published_at: datetime | None
    language: str | None
    categories: tuple[Category, ...]
    rating: Rating | None
    original_link: str | None
    original_context: str | None
    appearances: tuple[MediaAppearance, ...]
    claim_reviews: tuple[ClaimReview, ...]
    other: Verbatim


@dataclass(frozen=True, slots=True)
class ReviewsRead:
    """All reviews of a text in document order, and messages about what could not be read."""

    reviews: tuple[ClaimReview | MediaReview, ...]
    problems: tuple[str, ...]
