"""Which images a detector has not seen yet, and the results of two detectors on the same images."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import ScalarSelect, select
from sqlalchemy.orm import Session, aliased

from indexer.catalog.detections import embeddings
from indexer.catalog.tables.detections import DetectorRow, EmbeddingRow
from indexer.catalog.tables.images import ImageRow
from indexer.vocabulary import EMBEDDING_SIZE, LabelSource, LabelValue


@dataclass(frozen=True, slots=True)
class TwoOpinions:
    """The results of detectors A and B on the same images, by rising internal id.

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
    return embeddings.TABLE.lacking(session, fingerprint, after=after, limit=limit)


def count_lacking(session: Session, fingerprint: str) -> int:
    """How many images have no embedding by the detector `fingerprint`."""
    return embeddings.TABLE.count_lacking(session, fingerprint)


def ids_of_both(session: Session, a: str, b: str) -> npt.NDArray[np.int64]:
    """Internal ids [N], rising, of the images that have embeddings by both detectors, by fingerprint."""
    return embeddings.TABLE.ids_of_both(session, a, b)


def two_opinions(session: Session, a: str, b: str, *, after: int, limit: int) -> TwoOpinions:
    """The results of the detectors `a` and `b` (fingerprints) on up to `limit` images with an id above `after` that
    both have seen.
    """
    first, second = aliased(EmbeddingRow), aliased(EmbeddingRow)
    rows = session.execute(
        select(
            first.image_id,
            ImageRow.label,
            ImageRow.label_source_kind,
            first.vector,
            second.vector,
            first.p_fake,
            second.p_fake,
        )
        .select_from(first)
        .join(second, (second.image_id == first.image_id) & (second.detector_id == _detector(b)))
        .join(ImageRow, ImageRow.id == first.image_id)
        .where(first.detector_id == _detector(a), first.image_id > after)
        .order_by(first.image_id)
        .limit(limit)
    ).all()
    return TwoOpinions(
        image_ids=np.array([row[0] for row in rows], np.int64),
        labels=tuple(LabelValue.UNKNOWN if row[2] is LabelSource.MODEL else row[1] for row in rows),
        vectors_a=np.array([row[3] for row in rows], np.float32).reshape(-1, EMBEDDING_SIZE),
        vectors_b=np.array([row[4] for row in rows], np.float32).reshape(-1, EMBEDDING_SIZE),
        p_fake_a=np.array([row[5] for row in rows], np.float64),
        p_fake_b=np.array([row[6] for row in rows], np.float64),
    )


def _detector(fingerprint: str) -> ScalarSelect[int]:
    return select(DetectorRow.id).where(DetectorRow.fingerprint == fingerprint).scalar_subquery()
