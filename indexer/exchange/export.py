"""Images of the catalogue as JSON Lines or CSV. The same catalogue gives the same bytes, in flat memory."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TextIO

import numpy as np
from sqlalchemy import select

from indexer.catalog import Catalog, images
from indexer.catalog.records import ImageDetails, ImageFilter
from indexer.catalog.tables import ImageRow
from indexer.errors import UsageError
from indexer.exchange.csv_safety import safe_cell

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


def export_images(catalog: Catalog, wanted: ImageFilter, format: str, stream: TextIO) -> int:
    """Write the images that meet a filter, sorted by SHA-256, as of one moment.

    `jsonl` is one object an image with everything the catalogue knows of it; `csv` one row an image (`COLUMNS`), safe
    to open in a spreadsheet. Open `stream` with `newline=""`.

    Returns:
        How many images were written.

    Raises:
        UsageError: a format that is not one of the two.
        CatalogError: the catalogue cannot be read.
    """
    writers: dict[str, Callable[[TextIO], Callable[[ImageDetails], None]]] = {"jsonl": _jsonl, "csv": _csv}
    if format not in writers:
        raise UsageError(f"cannot export as {format!r}: choose {' or '.join(writers)}")
    write = writers[format](stream)
    count = 0
    for details in _sorted_details(catalog, wanted):
        write(details)
        count += 1
    return count


def _sorted_details(catalog: Catalog, wanted: ImageFilter) -> Iterator[ImageDetails]:
    """All images that meet a filter, by SHA-256, a few at a time from one state of the catalogue."""
    after = ""
    with catalog.reading() as session:
        matching = images.matching_ids(session, wanted)  # eight bytes an image
        while True:
            following = select(ImageRow.id, ImageRow.sha256).where(ImageRow.sha256 > after)
            some = session.execute(following.order_by(ImageRow.sha256).limit(_AT_ONCE)).all()
            if not some:
                return
            after = some[-1].sha256
            ids = np.array([row.id for row in some])
            yield from images.details(session, ids[np.isin(ids, matching, assume_unique=True)].tolist()).values()


def _jsonl(stream: TextIO) -> Callable[[ImageDetails], None]:
    def write(details: ImageDetails) -> None:
        document = asdict(details)
        document = {**document.pop("image"), **document}
        stream.write(json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_plain) + "\n")

    return write


def _csv(stream: TextIO) -> Callable[[ImageDetails], None]:
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)

    def write(details: ImageDetails) -> None:
        writer.writerow(_cells(details))

    return write


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
