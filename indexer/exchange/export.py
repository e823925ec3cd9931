"""Images of the catalogue as a file. The same catalogue gives the same bytes, in flat memory.

JSON Lines and CSV are written here, MediaReview in `reviews`, STIX in `stix`, MISP in `misp`.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Protocol, TextIO

from sqlalchemy.orm import Session

from indexer.catalog import Catalog
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import ImageDetails
from indexer.errors import DejafakeError, UsageError
from indexer.exchange.csv_safety import safe_cell
from indexer.exchange.reviews.writing import ReviewWriter, SignOff

_AT_ONCE = 500
_BETWEEN = " | "
COLUMNS = (
    "sha256",
    "label",
    "technique",
    "generator",
    "disputed",
    "label_source_kind",
    "label_source",
    "format",
    "width",
    "height",
    "byte_size",
    "pdq",
    "pdq_quality",
    "pdq_method",
    "first_posted",
    "last_posted",
    "platforms",
    "urls",
    "collections",
    "campaigns",
    "scores",
    "sources",
    "added_at",
)
"""Columns of the CSV. Lists are joined by " | "; `scores` are p(fake) by detector, empty for untrained ones."""


class ImageWriter(Protocol):
    """Writes one format: `write` is called for each image in turn, then `finish` once."""

    def write(self, details: ImageDetails) -> None:
        """Write an image."""
        ...

    def finish(self) -> None:
        """Write what comes at the end."""
        ...


def export_images(
    catalog: Catalog,
    selection: ImageFilter | Sequence[str],
    format: str,
    stream: TextIO,
    *,
    sign_off: SignOff | None = None,
) -> int:
    """Write the images that meet a filter, or those with these SHA-256, sorted by SHA-256, as of one moment. A digest
    that is not in the catalogue is left out.

    `jsonl` is one object an image with everything the catalogue knows about it; `csv` one row an image (`COLUMNS`),
    safe to open in a spreadsheet; `mediareview` a schema.org feed, whose categories are suggestions unless there is a
    `sign_off`; `stix` a STIX 2.1 bundle; `misp` a MISP event. Open `stream` with `newline=""`.

    Returns:
        How many images were written.

    Raises:
        UsageError: an unknown format, or a sign-off for a format that does not take one.
        DejafakeError: the format needs a package that is not installed.
        CatalogError: the catalogue cannot be read.
    """
    writers: dict[str, Callable[[Session], ImageWriter]] = {
        "jsonl": lambda _: _JsonLines(stream),
        "csv": lambda _: _Table(stream),
        "mediareview": lambda _: ReviewWriter(stream, sign_off),
        "stix": lambda session: _stix(stream, session),
        "misp": lambda _: _misp(stream),
    }
    if format not in writers:
        raise UsageError(f"cannot export as {format!r}: choose {' or '.join(writers)}")
    if sign_off is not None and format != "mediareview":
        raise UsageError(f"there is nothing to sign off in {format}: only mediareview has categories")
    count = 0
    with catalog.reading() as session:
        writer = writers[format](session)
        for ids in _selected(session, selection):
            for details in images.details(session, ids).values():
                writer.write(details)
                count += 1
        writer.finish()
    return count


def _selected(session: Session, selection: ImageFilter | Sequence[str]) -> Iterator[list[int]]:
    """Internal ids in the order of their SHA-256, some at a time."""
    if isinstance(selection, ImageFilter):
        yield from images.by_digest(session, selection, _AT_ONCE)
        return
    digests = sorted(set(selection))
    for start in range(0, len(digests), _AT_ONCE):
        ids = images.find_ids(session, digests[start : start + _AT_ONCE])
        yield [ids[sha256] for sha256 in sorted(ids)]


def _stix(stream: TextIO, session: Session) -> ImageWriter:
    try:
        from indexer.exchange.stix.writing import BundleWriter
    except ImportError:
        raise _missing("STIX") from None
    return BundleWriter(stream, session)


def _misp(stream: TextIO) -> ImageWriter:
    try:
        from indexer.exchange.misp import EventWriter
    except ImportError:
        raise _missing("MISP") from None
    return EventWriter(stream)


def _missing(format: str) -> DejafakeError:
    return DejafakeError(f"{format} needs the optional part of dejafake: pip install 'dejafake[exchange]'")


class _JsonLines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, details: ImageDetails) -> None:
        document = asdict(details)
        document = {**document.pop("image"), **document}
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_plain)
        self._stream.write(text + "\n")

    def finish(self) -> None:
        """There is nothing to add."""


class _Table:
    def __init__(self, stream: TextIO) -> None:
        self._writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        self._writer.writerow(COLUMNS)

    def write(self, details: ImageDetails) -> None:
        self._writer.writerow(_cells(details))

    def finish(self) -> None:
        """There is nothing to add."""


def _cells(details: ImageDetails) -> tuple[str | int, ...]:
    image, label = details.image, details.image.label
    posted = sorted(seen.posted_at for seen in details.sightings if seen.posted_at is not None)
    platforms = sorted({seen.platform for seen in details.sightings if seen.platform is not None})
    return (
        image.sha256,
        label.value,
        label.technique,
        safe_cell(label.generator or ""),
        "yes" if label.disputed else "no",
        label.source_kind or "",
        safe_cell(label.source or ""),
        safe_cell(image.format),
        image.width,
        image.height,
        image.byte_size,
        image.pdq,
        image.pdq_quality,
        image.pdq_method,
        _plain(posted[0]) if posted else "",
        _plain(posted[-1]) if posted else "",
        _joined(platforms),
        _joined([seen.url for seen in details.sightings if seen.url is not None]),
        _joined(details.collections),
        _joined([membership.campaign for membership in details.campaigns]),
        _joined([f"{said.detector} {said.p_fake:.6f}" for said in details.detections if said.p_fake is not None]),
        _joined([f"{source.source}: {source.location}" for source in details.sources]),
        _plain(image.added_at),
    )


def _joined(texts: list[str] | tuple[str, ...]) -> str:
    return safe_cell(_BETWEEN.join(texts))


def _plain(value: datetime) -> str:
    """UTC in ISO 8601."""
    return value.isoformat().replace("+00:00", "Z")
