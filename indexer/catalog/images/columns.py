"""A few columns of very many images as arrays, for code that processes all of them at once. Creates no records."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.images.filters import conditions
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.provenance import ProvenanceRow
from indexer.catalog.tables.sightings import SightingRow

AT_ONCE = 20_000
"""Rows fetched at a time."""
PDQ_BYTES = 32


@dataclass(frozen=True, slots=True)
class ImageColumns:
    """N images sorted by SHA-256, 120 bytes each.

    Attributes:
        ids: [N] int64, internal ids.
        sha256: [N] S64, hex digits.
        pdq: [N, 32] uint8.
        pdq_quality: [N] int16, 0 to 100.
        pixels: [N] int64, width times height.
        content: [N] int16, 0 to 100; -1 where it was not measured.
    """

    ids: npt.NDArray[np.int64]
    sha256: npt.NDArray[np.bytes_]
    pdq: npt.NDArray[np.uint8]
    pdq_quality: npt.NDArray[np.int16]
    pixels: npt.NDArray[np.int64]
    content: npt.NDArray[np.int16]


def image_columns(session: Session, image_filter: ImageFilter) -> Iterator[ImageColumns]:
    """The images that meet a filter, `AT_ONCE` at a time, by rising id; `joined` puts them together."""
    columns = (
        ImageRow.id,
        ImageRow.sha256,
        ImageRow.pdq,
        ImageRow.pdq_quality,
        ImageRow.width,
        ImageRow.height,
        ImageRow.content,
    )
    after = -1
    while True:
        following = select(*columns).where(*conditions(image_filter), ImageRow.id > after).order_by(ImageRow.id)
        rows = session.execute(following.limit(AT_ONCE)).all()
        if not rows:
            return
        after = rows[-1][0]
        yield ImageColumns(  # zip(*rows) would hold as many iterators as there are rows
            ids=np.array([row[0] for row in rows], np.int64),
            sha256=np.array([row[1].encode() for row in rows], "S64"),
            pdq=np.frombuffer(b"".join([row[2] for row in rows]), np.uint8).reshape(-1, PDQ_BYTES),
            pdq_quality=np.array([row[3] for row in rows], np.int16),
            pixels=np.array([row[4] * row[5] for row in rows], np.int64),
            content=np.array([-1 if row[6] is None else row[6] for row in rows], np.int16),
        )


def joined(parts: list[ImageColumns]) -> ImageColumns:
    """All parts joined, sorted by SHA-256 so that the order does not depend on when images were added."""
    if not parts:
        empty = np.empty(0, np.int64)
        none = np.empty(0, np.int16)
        return ImageColumns(empty, np.empty(0, "S64"), np.empty((0, PDQ_BYTES), np.uint8), none, empty, none)
    order = np.argsort(np.concatenate([part.sha256 for part in parts]), kind="stable")
    return ImageColumns(
        ids=np.concatenate([part.ids for part in parts])[order],
        sha256=np.concatenate([part.sha256 for part in parts])[order],
        pdq=np.concatenate([part.pdq for part in parts])[order],
        pdq_quality=np.concatenate([part.pdq_quality for part in parts])[order],
        pixels=np.concatenate([part.pixels for part in parts])[order],
        content=np.concatenate([part.content for part in parts])[order],
    )


def first_posted(session: Session, image_filter: ImageFilter) -> Iterator[tuple[int, datetime]]:
    """The internal id of each image that meets a filter and has a dated sighting, and the earliest of these dates."""
    matching = select(ImageRow.id).where(*conditions(image_filter))
    earliest = (
        select(SightingRow.image_id, func.min(SightingRow.posted_at))
        .where(SightingRow.posted_at.is_not(None), SightingRow.image_id.in_(matching))
        .group_by(SightingRow.image_id)
    )
    for row in session.execute(earliest.execution_options(yield_per=AT_ONCE)):
        if row[1] is not None:
            yield row[0], row[1]


def named_models(session: Session, image_filter: ImageFilter) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Findings that name a model, of the images that meet a filter: internal id, model hash, and the finding's other
    fields. By rising id; an image's findings are in the order they were found.
    """
    matching = select(ImageRow.id).where(*conditions(image_filter))
    named = (
        select(ProvenanceRow.image_id, ProvenanceRow.model_hash, ProvenanceRow.fields)
        .where(ProvenanceRow.model_hash.is_not(None), ProvenanceRow.image_id.in_(matching))
        .order_by(ProvenanceRow.image_id, ProvenanceRow.id)
    )
    for row in session.execute(named.execution_options(yield_per=AT_ONCE)):
        yield row[0], str(row[1]), dict(row[2])
