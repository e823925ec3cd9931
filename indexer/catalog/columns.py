"""A few columns of very many images as arrays, for what looks at all of them at once. Nothing here makes records."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.catalog.filters import conditions
from indexer.catalog.records import ImageFilter
from indexer.catalog.tables import ImageRow, ProvenanceRow, SightingRow

AT_ONCE = 20_000
"""Rows fetched at a time."""
PDQ_BYTES = 32


@dataclass(frozen=True, slots=True)
class ImageColumns:
    """N images by rising SHA-256, 120 bytes each.

    Attributes:
        ids: [N] int64, internal ids.
        sha256: [N] S64, hex digits.
        pdq: [N, 32] uint8.
        pdq_quality: [N] int16, 0 to 100.
        pixels: [N] int64, width times height.
    """

    ids: npt.NDArray[np.int64]
    sha256: npt.NDArray[np.bytes_]
    pdq: npt.NDArray[np.uint8]
    pdq_quality: npt.NDArray[np.int16]
    pixels: npt.NDArray[np.int64]


def image_columns(session: Session, wanted: ImageFilter) -> Iterator[ImageColumns]:
    """The images that meet a filter, `AT_ONCE` at a time, by rising id; `joined` puts them together."""
    columns = (ImageRow.id, ImageRow.sha256, ImageRow.pdq, ImageRow.pdq_quality, ImageRow.width, ImageRow.height)
    after = -1
    while True:
        following = select(*columns).where(*conditions(wanted), ImageRow.id > after).order_by(ImageRow.id)
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
        )


def joined(parts: list[ImageColumns]) -> ImageColumns:
    """All parts as one, by rising SHA-256: in an order that does not depend on when images came."""
    if not parts:
        empty = np.empty(0, np.int64)
        return ImageColumns(empty, np.empty(0, "S64"), np.empty((0, PDQ_BYTES), np.uint8), np.empty(0, np.int16), empty)
    order = np.argsort(np.concatenate([part.sha256 for part in parts]), kind="stable")
    return ImageColumns(
        ids=np.concatenate([part.ids for part in parts])[order],
        sha256=np.concatenate([part.sha256 for part in parts])[order],
        pdq=np.concatenate([part.pdq for part in parts])[order],
        pdq_quality=np.concatenate([part.pdq_quality for part in parts])[order],
        pixels=np.concatenate([part.pixels for part in parts])[order],
    )


def first_posted(session: Session, wanted: ImageFilter) -> Iterator[tuple[int, datetime]]:
    """The internal id of each image that meets a filter and has a dated sighting, and the earliest of these dates."""
    matching = select(ImageRow.id).where(*conditions(wanted))
    earliest = (
        select(SightingRow.image_id, func.min(SightingRow.posted_at))
        .where(SightingRow.posted_at.is_not(None), SightingRow.image_id.in_(matching))
        .group_by(SightingRow.image_id)
    )
    for row in session.execute(earliest.execution_options(yield_per=AT_ONCE)):
        if row[1] is not None:
            yield row[0], row[1]


def named_models(session: Session, wanted: ImageFilter) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Of the images that meet a filter, each finding that names a model: internal id, model hash, and the finding's
    other fields. By rising id, of one image in the order they were found."""
    matching = select(ImageRow.id).where(*conditions(wanted))
    named = (
        select(ProvenanceRow.image_id, ProvenanceRow.model_hash, ProvenanceRow.fields)
        .where(ProvenanceRow.model_hash.is_not(None), ProvenanceRow.image_id.in_(matching))
        .order_by(ProvenanceRow.image_id, ProvenanceRow.id)
    )
    for row in session.execute(named.execution_options(yield_per=AT_ONCE)):
        yield row[0], str(row[1]), dict(row[2])
