"""Fact-checks as rows: ClaimReview and MediaReview in a JSON-LD document or in an HTML page.

A row is one review with all its pictures and gets the most serious of their answers. The output is the same document,
or the page's reviews one per line, each with one more object. Nothing is fetched: a picture is found below the file's
folder, by a digest in the review, or because it was seen at its address before.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from indexer.enrichment.answer_columns import COLUMNS
from indexer.enrichment.columns import Cell, Column
from indexer.enrichment.inputs.bounded_reading import read_bounded
from indexer.enrichment.inputs.json_text import json_text
from indexer.enrichment.inputs.questions import (
    MOST_PICTURES,
    NOTHING_TO_SEARCH,
    Review,
    pictures_of,
    rows_among,
    urls_of,
)
from indexer.enrichment.mapping import as_picture_path
from indexer.enrichment.row_answer import gravest
from indexer.enrichment.rows import RowQuery
from indexer.errors import SourceError
from indexer.exchange.reviews import MediaAppearance
from indexer.exchange.reviews.markup import MAX_BYTES, documents, is_page
from indexer.exchange.reviews.nodes import term
from indexer.exchange.reviews.reading import reviews_among
from indexer.imaging.limits import ImageLimits
from indexer.sources.items import printable
from indexer.sources.places import Places

PAGES = (".html", ".htm")
DOCUMENTS = (".json", ".jsonld")


class ReviewsInput:
    """The reviews of a file. Counts and listings are by picture; a review without any is one, and a problem, and so is
    a block of a page that cannot be read.

    Raises:
        SourceError: it cannot be read, is too large, not UTF-8, neither JSON nor HTML, or holds no review.
    """

    def __init__(self, path: Path, limits: ImageLimits, roots: Sequence[Path] = ()) -> None:
        self._path = path
        self._places = Places(path.parent, limits, roots)
        shown = printable(path.name)
        text = _text(path)
        try:
            self._values, self._problems = documents(text)
            keys = {key for value, _ in self._reviews() for key in value}
        except SourceError as error:
            raise SourceError(f"{shown}: {error}") from None
        if not keys and not self._problems:
            raise SourceError(
                f"{shown} holds no ClaimReview or MediaReview, and is no metadata.json of auto-archiver either (an "
                "object with a list `media`): save the page or the feed itself"
            )
        self._page = is_page(text)
        self.mapping: Mapping[str, str] = {}
        self.columns: Sequence[str] = sorted(keys | {f"{key}_{COLUMNS[0].name}" for key in keys})
        """With every key as if it were the object that is added: none is written over."""
        self.endings: Sequence[str] = (".jsonl",) if self._page else (path.suffix.lower(),)

    def identity(self) -> str:
        """SHA-256 of the file."""
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def count(self) -> int:
        """How many pictures the reviews have."""
        return sum(1 for _ in self.queries())

    def queries(self) -> Iterator[RowQuery]:
        """Each picture of each review."""
        for _, asked in self._rows():
            yield from asked
        for problem in self._problems:
            yield RowQuery("page", problem=("unreadable", problem))

    def write(self, target: Path, added: Sequence[Column], rows: Iterator[Sequence[Cell]]) -> None:
        """The document, or a line a review, with an object of that prefix in each review."""
        key = added[0].name.removesuffix(COLUMNS[0].name).rstrip("_")
        answers = {id(value): {key: _named(gravest([next(rows) for _ in asked]))} for value, asked in self._rows()}
        with target.open("w", encoding="utf-8", newline="") as stream:
            if not self._page:
                (document,) = self._values
                stream.write(json_text(_answered(document, answers), indent=2) + "\n")
                return
            for value, _ in self._rows():
                stream.write(json_text(_answered(value, answers)) + "\n")
            for _ in self._problems:
                stream.write(json_text({key: _named(next(rows))}) + "\n")

    def _reviews(self) -> Iterator[tuple[Mapping[str, Any], Review]]:
        return reviews_among(self._values)

    def _rows(self) -> Iterator[tuple[Mapping[str, Any], list[RowQuery]]]:
        """Each review's object with its queries."""
        for number, (value, review) in enumerate(rows_among(self._values), start=1):
            yield value, self._asked(f"review {number}", review)

    def _asked(self, location: str, review: Review) -> list[RowQuery]:
        pictures = pictures_of(review)
        several = len(pictures) > 1
        places = [f"{location}, picture {at}" if several else location for at in range(1, len(pictures) + 1)]
        asked = [query for pair in zip(places, pictures, strict=True) for query in self._of_picture(*pair)]
        if not asked:
            return [RowQuery(location, problem=NOTHING_TO_SEARCH)]
        return asked

    def _of_picture(self, location: str, picture: MediaAppearance) -> list[RowQuery]:
        digests = picture.sha256[:MOST_PICTURES]
        urls = urls_of(picture)
        named = _path(picture)
        if named is not None:
            try:
                path = as_picture_path(named, self._places)
                if self._places.has(path) or not (digests or urls):
                    sha256 = digests[0] if len(digests) == 1 else None
                    return [RowQuery(location, self._places.find(path)[0], sha256)]
            except (ValueError, OSError) as error:
                if not (digests or urls):
                    return [RowQuery(location, problem=("bad_row", f"'{printable(named[:80])}' {error}"))]
        if digests:
            return [RowQuery(location, None, digest, urls=urls) for digest in digests]
        return [RowQuery(location, urls=urls)] if urls else []


def _path(picture: MediaAppearance) -> str | None:
    """The path of the picture, unless it is a web address; usually beside the file."""
    places = {term(name): value for name, value in picture.other.items() if isinstance(value, str) and value.strip()}
    return places.get("contentUrl") or places.get("url")


def _named(cells: Sequence[Cell]) -> dict[str, Cell]:
    return {column.name: cell for column, cell in zip(COLUMNS, cells, strict=True)}


def _answered(value: Any, answers: Mapping[int, Mapping[str, Any]]) -> Any:
    """A copy of a JSON value in which each review ends with its answer; as deep as reviews are read."""
    if isinstance(value, dict):
        inner = {
            name: inner_value if name == "@context" else _answered(inner_value, answers)
            for name, inner_value in value.items()
        }
        return {**inner, **answers.get(id(value), {})}
    if isinstance(value, list):
        return [_answered(inner_value, answers) for inner_value in value]
    return value


def _text(path: Path) -> str:
    data = read_bounded(path, MAX_BYTES)
    try:
        return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise SourceError(f"{printable(path.name)} is not UTF-8; save it as UTF-8") from None
