"""The queries of fact-checks: which reviews of a document are rows, and what is known about their pictures."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from indexer.catalog.records.jobs import NewJobItem, Question
from indexer.errors import SourceError
from indexer.exchange.reviews import ClaimReview, MediaAppearance, MediaReview
from indexer.exchange.reviews.markup import documents
from indexer.exchange.reviews.reading import objects_in, reviews_among

Review = ClaimReview | MediaReview

MOST_PICTURES: Final = 1_000
"""Most pictures of a review that become queries; a review has a handful."""
NOTHING_TO_SEARCH: Final = ("nothing_to_search", "no picture, digest or address in this review")


def rows_among(values: list[Any]) -> Iterator[tuple[Mapping[str, Any], Review]]:
    """The reviews inside JSON values that are rows, each with its object. A ClaimReview that only explains a
    MediaReview is none.

    Raises:
        SourceError: nested too deeply.
    """
    explained: set[int] = set()
    for value, review in reviews_among(values):
        if isinstance(review, MediaReview):
            explained.update(id(inner) for inner in objects_in(list(value.values())))
        elif id(value) in explained and not review.appearances:
            continue
        yield value, review


def pictures_of(review: Review) -> list[MediaAppearance]:
    """The media a review is about, without sound and video."""
    return [appearance for appearance in review.appearances[:MOST_PICTURES] if not _is_other_media(appearance)]


def urls_of(picture: MediaAppearance) -> tuple[str, ...]:
    """Where a picture was seen."""
    return tuple(url for url in (picture.content_url, picture.url, picture.archived_at) if url)


def job_items(data: str | bytes) -> list[NewJobItem]:
    """The reviews of a JSON-LD document as rows of a job, named by their address, or else by their number. There are no
    pictures: the queries are digests and addresses.

    Raises:
        SourceError: it is not JSON, holds no review, or is too long or nested too deeply.
    """
    values, problems = documents(data)
    reviews = enumerate(rows_among(values), start=1)
    items = [
        NewJobItem(review.url or f"review {number}", questions=tuple(_questions(pictures_of(review))))
        for number, (_, review) in reviews
    ]
    if problems:
        raise SourceError(f"{problems[0]}; send the JSON-LD alone")
    if not items:
        raise SourceError("the document holds no ClaimReview or MediaReview")
    return items


def holds_reviews(data: bytes) -> bool:
    """Whether a JSON value holds fact-checks rather than rows to answer."""
    try:
        values, _ = documents(data)
        rows = len(values) == 1 and isinstance(values[0], Mapping) and "rows" in values[0]
        return not rows and next(rows_among(values), None) is not None
    except SourceError:
        return False


def _questions(pictures: Sequence[MediaAppearance]) -> Iterator[Question]:
    for picture in pictures:
        urls = urls_of(picture)
        for digest in picture.sha256[:MOST_PICTURES]:
            yield Question(digest, urls)
        if urls and not picture.sha256:
            yield Question(None, urls)


def _is_other_media(appearance: MediaAppearance) -> bool:
    return appearance.type is not None and appearance.type.startswith(("Video", "Audio"))
