"""Images labelled by people or feeds, with one detector's results on them: for evaluating the detector."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Text, and_, func, select, type_coerce
from sqlalchemy.orm import Session

from indexer.catalog.images.filters import conditions
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.tables.detections import DetectorRow, EmbeddingRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.sources import SourceRow
from indexer.vocabulary import LabelSource, LabelValue, Technique

GROUP = "group"
"""The column of a manifest that names what pictures were made from; pictures of one group are not independent."""
_SIDES = (LabelValue.FAKE, LabelValue.AUTHENTIC)
_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image that is fake or authentic. `vector` [384] float32 L2-normalised; `logits` [C]; `group` is the one named
    by the first source that has it.
    """

    sha256: str
    fake: bool
    logits: tuple[float, ...]
    vector: npt.NDArray[np.float32]
    generator: str | None
    technique: Technique
    group: str | None
    width: int
    height: int


def labelled(session: Session, image_filter: ImageFilter, fingerprint: str) -> Iterator[LabelledImage]:
    """The images that meet a filter, are labelled fake or authentic by anyone but a model, and have an embedding by
    the detector with this fingerprint; in the order of their SHA-256."""
    groups = groups_of(session, image_filter)
    rows = session.execute(
        select(
            ImageRow.id,
            ImageRow.sha256,
            ImageRow.label,
            EmbeddingRow.logits,
            EmbeddingRow.vector,
            ImageRow.generator,
            ImageRow.technique,
            ImageRow.width,
            ImageRow.height,
        )
        .join(EmbeddingRow, EmbeddingRow.image_id == ImageRow.id)
        .join(DetectorRow, DetectorRow.id == EmbeddingRow.detector_id)
        .where(
            DetectorRow.fingerprint == fingerprint,
            ImageRow.label.in_(_SIDES),
            ImageRow.label_source_kind != LabelSource.MODEL,
            *conditions(image_filter),
        )
        .order_by(ImageRow.sha256)
        .execution_options(yield_per=_ROWS)
    )
    for image_id, sha256, label, logits, vector, generator, technique, width, height in rows:
        fake = label == LabelValue.FAKE
        group = groups.get(image_id)
        yield LabelledImage(sha256, fake, tuple(logits), vector, generator, technique, group, width, height)


def left_out(session: Session, image_filter: ImageFilter, fingerprint: str) -> dict[str, int]:
    """How many images that meet a filter `labelled` leaves out, by reason; one statement."""
    embedded = EmbeddingRow.id.is_not(None)
    detector = select(DetectorRow.id).where(DetectorRow.fingerprint == fingerprint).scalar_subquery()
    on = and_(EmbeddingRow.image_id == ImageRow.id, EmbeddingRow.detector_id == detector)
    facts = (ImageRow.label, ImageRow.disputed, ImageRow.label_source_kind, embedded)
    rows = session.execute(
        select(*facts, func.count()).outerjoin(EmbeddingRow, on).where(*conditions(image_filter)).group_by(*facts)
    )
    counted: dict[str, int] = {}
    for label, disputed, kind, has_embedding, count in rows:
        if disputed:
            reason = "disputed"
        elif label not in _SIDES:
            reason = "unknown label"
        elif kind == LabelSource.MODEL:
            reason = "labelled by a model only"
        elif not has_embedding:
            reason = "no embedding by this detector"
        else:
            continue
        counted[reason] = counted.get(reason, 0) + count
    return dict(sorted(counted.items()))


def group_in(fields: object) -> str | None:
    """The group named in the columns of a manifest row, ignoring case."""
    if not isinstance(fields, dict):
        return None
    return next((text for name, text in fields.items() if name.lower() == GROUP), None)


def groups_of(session: Session, image_filter: ImageFilter) -> dict[int, str]:
    """The group of every image that meets a filter and has one, by internal id."""
    inside = select(ImageRow.id).where(*conditions(image_filter))
    rows = session.execute(
        select(SourceRow.image_id, SourceRow.fields)
        .where(SourceRow.image_id.in_(inside), type_coerce(SourceRow.fields, Text).ilike(f'%"{GROUP}"%'))
        .order_by(SourceRow.id.desc())
        .execution_options(yield_per=_ROWS)
    )
    groups = ((image_id, group_in(fields)) for image_id, fields in rows)
    return {image_id: group for image_id, group in groups if group is not None}
