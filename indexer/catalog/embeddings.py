"""Embeddings: what each detector said of each image. One image has one embedding by one detector."""

from collections.abc import Iterable, Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt
from sqlalchemy import FromClause, ScalarSelect, bindparam, func, select
from sqlalchemy.orm import Session

from indexer.catalog.portable import among, insert_new, one_of
from indexer.catalog.records import EmbeddingBatch, NewDetection
from indexer.catalog.tables import DetectorRow, EmbeddingRow
from indexer.catalog.types import EMBEDDING_DIMENSION, utc_now
from indexer.errors import UsageError

_DIGITS = 9
"""Significant digits kept of a score: all that a float32 holds, and few enough to print the same everywhere."""


_EMBEDDINGS: FromClause = EmbeddingRow.__table__
_DETECTORS: FromClause = DetectorRow.__table__
_VECTORS = select(_EMBEDDINGS.c.image_id, _EMBEDDINGS.c.vector).where(
    among(_EMBEDDINGS.c.image_id, "ids"),
    _EMBEDDINGS.c.detector_id
    == select(_DETECTORS.c.id).where(_DETECTORS.c.fingerprint == bindparam("fingerprint")).scalar_subquery(),
)


def add(session: Session, detector_id: int, detections: Sequence[tuple[int, NewDetection]]) -> int:
    """Record what a detector said of images, by internal image id; images it has spoken of before are left as they are.

    Returns:
        How many were new.

    Raises:
        UsageError: a vector that is not [384], finite and of length 1, a logit that is not finite, or a probability
            outside [0, 1].
    """
    rows = [
        {
            "image_id": image_id,
            "detector_id": detector_id,
            "logits": _finite(detection.logits),
            "p_fake": _probability(detection.p_fake),
            "detected_at": utc_now(),
            "vector": _checked(detection.vector),
        }
        for image_id, detection in detections
    ]
    return len(insert_new(session, EmbeddingRow, rows, EmbeddingRow.id))


def since(session: Session, fingerprint: str, after_embedding_id: int, limit: int) -> EmbeddingBatch:
    """Up to `limit` embeddings added after `after_embedding_id`, in the order they were added."""
    rows = session.execute(
        select(EmbeddingRow.id, EmbeddingRow.image_id, EmbeddingRow.vector)
        .where(EmbeddingRow.detector_id == _detector(fingerprint), EmbeddingRow.id > after_embedding_id)
        .order_by(EmbeddingRow.id)
        .limit(limit)
    ).all()
    return EmbeddingBatch(
        embedding_ids=np.array([row[0] for row in rows], dtype=np.int64),
        image_ids=np.array([row[1] for row in rows], dtype=np.int64),
        vectors=np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, EMBEDDING_DIMENSION),
    )


def vectors(session: Session, fingerprint: str, image_ids: Iterable[int]) -> dict[int, npt.NDArray[np.float32]]:
    """The vectors [384] of those of these images that have one."""
    asked = {"ids": [int(image_id) for image_id in image_ids], "fingerprint": fingerprint}
    return {row[0]: row[1] for row in session.execute(_VECTORS, asked)}


def having(session: Session, fingerprint: str, image_ids: Iterable[int]) -> set[int]:
    """Those of these images that have an embedding."""
    rows = session.execute(
        select(EmbeddingRow.image_id).where(
            one_of(EmbeddingRow.image_id, image_ids), EmbeddingRow.detector_id == _detector(fingerprint)
        )
    )
    return set(rows.scalars())


def count(session: Session, fingerprint: str) -> int:
    """How many embeddings the detector with this fingerprint has."""
    counted = select(func.count()).where(EmbeddingRow.detector_id == _detector(fingerprint))
    return session.execute(counted).scalar_one()


def _detector(fingerprint: str) -> ScalarSelect[int]:
    return select(DetectorRow.id).where(DetectorRow.fingerprint == fingerprint).scalar_subquery()


def _checked(vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    values = np.asarray(vector, dtype=np.float32)
    if values.shape != (EMBEDDING_DIMENSION,):
        raise UsageError(f"an embedding has the shape [{EMBEDDING_DIMENSION}], not {list(values.shape)}")
    if not abs(float(np.linalg.norm(values)) - 1) < 1e-2:
        raise UsageError("an embedding must be finite and L2-normalised")
    return values


def _finite(logits: Sequence[float]) -> list[float]:
    values = [float(logit) for logit in logits]
    if not all(map(isfinite, values)):
        raise UsageError(f"logits must be finite, not {values}")
    return values


def _probability(p_fake: float | None) -> float | None:
    if p_fake is None:
        return None
    if not 0 <= p_fake <= 1:
        raise UsageError(f"a probability lies between 0 and 1, not at {p_fake}")
    return float(f"{p_fake:.{_DIGITS}g}")
