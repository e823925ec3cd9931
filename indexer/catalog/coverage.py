"""Which images a detector has not spoken of yet, and what two detectors say of the same images."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select
from sqlalchemy.orm import Session, aliased

from indexer.catalog.tables import DetectorRow, EmbeddingRow, ImageRow
from indexer.catalog.types import EMBEDDING_DIMENSION
from indexer.vocabulary import LabelSource, LabelValue


@dataclass(frozen=True, slots=True)
class TwoOpinions:
    """What detectors A and B say of the same images, by rising internal id.

    `image_ids` [N]; `vectors_a`, `vectors_b` [N, 384] L2-normalised; `p_fake_a`, `p_fake_b` [N], NaN where the
    detector is not trained; `labels` are the images' current ones, `unknown` where a model alone stated them.
    """

    image_ids: npt.NDArray[np.int64]
    labels: tuple[LabelValue, ...]
    vectors_a: npt.NDArray[np.float32]
    vectors_b: npt.NDArray[np.float32]
    p_fake_a: npt.NDArray[np.float64]
    p_fake_b: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.image_ids)


def lacking(session: Session, fingerprint: str, *, after: int, limit: int) -> list[tuple[int, str]]:
    """Internal id and SHA-256 of up to `limit` images with an id above `after` that have no embedding by the detector
    `fingerprint`, by rising id."""
    rows = session.execute(
        select(ImageRow.id, ImageRow.sha256)
        .where(ImageRow.id > after, _lacks(fingerprint))
        .order_by(ImageRow.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def count_lacking(session: Session, fingerprint: str) -> int:
    """How many images have no embedding by the detector `fingerprint`."""
    counted = select(func.count()).select_from(ImageRow).where(_lacks(fingerprint))
    return session.execute(counted).scalar_one()


def ids_of_both(session: Session, a: str, b: str) -> npt.NDArray[np.int64]:
    """Internal ids [N], rising, of the images that have embeddings by both detectors, by fingerprint."""
    one, other = aliased(EmbeddingRow), aliased(EmbeddingRow)
    rows = session.execute(
        select(one.image_id)
        .join(other, (other.image_id == one.image_id) & (other.detector_id == _detector(b)))
        .where(one.detector_id == _detector(a))
        .order_by(one.image_id)
    )
    return np.fromiter(rows.scalars(), np.int64)


def two_opinions(session: Session, a: str, b: str, *, after: int, limit: int) -> TwoOpinions:
    """What the detectors `a` and `b` (fingerprints) say of up to `limit` images with an id above `after` that both have
    spoken of."""
    one, other = aliased(EmbeddingRow), aliased(EmbeddingRow)
    rows = session.execute(
        select(
            one.image_id,
            ImageRow.label,
            ImageRow.label_source_kind,
            one.vector,
            other.vector,
            one.p_fake,
            other.p_fake,
        )
        .select_from(one)
        .join(other, (other.image_id == one.image_id) & (other.detector_id == _detector(b)))
        .join(ImageRow, ImageRow.id == one.image_id)
        .where(one.detector_id == _detector(a), one.image_id > after)
        .order_by(one.image_id)
        .limit(limit)
    ).all()
    return TwoOpinions(
        image_ids=np.array([row[0] for row in rows], np.int64),
        labels=tuple(LabelValue.UNKNOWN if row[2] is LabelSource.MODEL else row[1] for row in rows),
        vectors_a=np.array([row[3] for row in rows], np.float32).reshape(-1, EMBEDDING_DIMENSION),
        vectors_b=np.array([row[4] for row in rows], np.float32).reshape(-1, EMBEDDING_DIMENSION),
        p_fake_a=np.array([row[5] for row in rows], np.float64),
        p_fake_b=np.array([row[6] for row in rows], np.float64),
    )


def _lacks(fingerprint: str) -> ColumnElement[bool]:
    spoken = exists().where(EmbeddingRow.image_id == ImageRow.id, EmbeddingRow.detector_id == _detector(fingerprint))
    return ~spoken


def _detector(fingerprint: str) -> ScalarSelect[int]:
    return select(DetectorRow.id).where(DetectorRow.fingerprint == fingerprint).scalar_subquery()
