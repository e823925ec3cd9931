"""Images of the catalogue as MediaReviews and ClaimReviews, in schema.org's own terms and strictly.

Only a fact-checker may state the category of a picture. Without a sign-off it is written as a suggestion, under a
property that no reader of MediaReview takes for a category, in a draft without an author.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, TextIO

from indexer.catalog.records.images import ImageDetails
from indexer.catalog.records.labels import CurrentLabel
from indexer.errors import UsageError
from indexer.exchange.reviews.categories import MediaCategory
from indexer.exchange.web_terms import media_type, web_address
from indexer.sightings import Sighting
from indexer.sources.cells import as_url
from indexer.vocabulary import LabelValue

_CONTEXT = ["https://schema.org", {"dejafake": "urn:dejafake:terms:"}]
_ABOUT = (
    "Reviews of images in a dejafake catalogue. A review with an author was signed off by that author. One without is "
    "a draft: its dejafake:suggestedCategory follows from labels in the catalogue and is nobody's rating."
)
_CATEGORIES = {LabelValue.FAKE: MediaCategory.TRANSFORMED, LabelValue.AUTHENTIC: MediaCategory.ORIGINAL}
_IN_SCRIPTS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""JSON-LD is pasted into HTML: a caption must not be able to close the script element."""


@dataclass(frozen=True, slots=True)
class SignOff:
    """Who takes responsibility for the categories of a file, and when (UTC).

    Raises:
        UsageError: no name, or an address that is not http or https.
    """

    name: str
    on: date
    url: str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise UsageError("a sign-off needs the name of whoever gives it")
        try:
            if self.url is not None:
                as_url(self.url)
        except ValueError as error:
            raise UsageError(f"the address of whoever signs off {error}") from None


class ReviewWriter:
    """Writes a schema.org DataFeed with one MediaReview an image, and one ClaimReview for each claim it was seen with.

    Args:
        stream: a text stream.
        sign_off: the name under which undisputed fakes and authentic images get their category. None: suggestions.
    """

    def __init__(self, stream: TextIO, sign_off: SignOff | None) -> None:
        self._stream = stream
        self._sign_off = sign_off
        self._first = True
        head = {"@context": _CONTEXT, "@type": "DataFeed", "description": _ABOUT}
        stream.write(f'{_json(head).removesuffix("}")},"dataFeedElement":[')

    def write(self, details: ImageDetails) -> None:
        """The reviews of one image."""
        for review in (media_review(details, self._sign_off), *claim_reviews(details)):
            item = {"@type": "DataFeedItem", "item": review}
            self._stream.write(f"{'' if self._first else ','}\n{_json(item)}")
            self._first = False

    def finish(self) -> None:
        """The end of the feed."""
        self._stream.write("\n]}\n")


def media_review(details: ImageDetails, sign_off: SignOff | None) -> dict[str, Any]:
    """The MediaReview of one image: signed, or a draft with a suggestion."""
    label = details.image.label
    category = None if label.disputed else _CATEGORIES.get(label.value)
    review: dict[str, Any] = {"@type": "MediaReview", "@id": f"urn:dejafake:media-review:{details.image.sha256}"}
    if category is not None and sign_off is not None:
        review["author"] = _present({"@type": "Organization", "name": sign_off.name.strip(), "url": sign_off.url})
        review["datePublished"] = sign_off.on.isoformat()
        review["mediaAuthenticityCategory"] = category.value
    else:
        review["creativeWorkStatus"] = "Draft"
        if category is not None:
            review["dejafake:suggestedCategory"] = category.value
        review["dejafake:because"] = _because(label)
    places = [_snapshot(details, seen) for seen in details.sightings] or [_snapshot(details, None)]
    review["itemReviewed"] = {"@type": "MediaReviewItem", "mediaItemAppearance": places}
    return review


def claim_reviews(details: ImageDetails) -> list[dict[str, Any]]:
    """A draft ClaimReview for each claim the image was seen with. A label is about the picture: no claim is rated."""
    claims: dict[str, list[Sighting]] = {}
    for seen in details.sightings:
        if seen.claim:
            claims.setdefault(seen.claim, []).append(seen)
    return [
        {
            "@type": "ClaimReview",
            "creativeWorkStatus": "Draft",
            "claimReviewed": claim,
            "itemReviewed": {"@type": "Claim", "appearance": [_snapshot(details, seen) for seen in sightings]},
        }
        for claim, sightings in sorted(claims.items())
    ]


def _snapshot(details: ImageDetails, seen: Sighting | None) -> dict[str, Any]:
    image = details.image
    appearance: dict[str, Any] = {
        "@type": "ImageObjectSnapshot",
        "sha256": image.sha256,
        "encodingFormat": media_type(image),
        "contentSize": f"{image.byte_size} B",
        "width": image.width,
        "height": image.height,
    }
    if seen is not None:
        appearance["contentUrl"] = web_address(seen.url)
        appearance["archivedAt"] = web_address(seen.archive_url)
        appearance["uploadDate"] = None if seen.posted_at is None else seen.posted_at.isoformat().replace("+00:00", "Z")
        appearance["caption"] = seen.caption
        appearance["inLanguage"] = seen.language
    return _present(appearance)


def _because(label: CurrentLabel) -> str:
    if label.disputed:
        return "its labels disagree"
    if label.source is None or label.source_kind is None:
        return "nobody has labelled it"
    return f"labelled {label.value.value} by {label.source} ({label.source_kind.value.replace('_', ' ')})"


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_IN_SCRIPTS)
