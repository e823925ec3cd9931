"""Records of detectors and their results on images, and batches of vectors and hashes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class NewDetection:
    """One detector's result on one image: `vector` [384] float32 L2-normalised, `logits` [C] float32, `p_fake` in
    [0, 1] (None when the detector is not trained)."""

    vector: npt.NDArray[np.float32]
    logits: tuple[float, ...]
    p_fake: float | None


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """A detector that has embeddings in this catalogue."""

    name: str
    fingerprint: str
    trained: bool
    spec: Mapping[str, Any]
    embeddings: int
    added_at: datetime


@dataclass(frozen=True, slots=True)
class EmbeddingBatch:
    """Embeddings in the order they were added. `embedding_ids`, `image_ids` [N] int64; `vectors` [N, 384] float32."""

    embedding_ids: npt.NDArray[np.int64]
    image_ids: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HashBatch:
    """PDQ hashes in the order the images were added. `image_ids` [N] int64; `hashes` [N, 32] uint8; `qualities` [N]."""

    image_ids: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint8]
    qualities: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Watermarks:
    """The newest ids of the catalogue, 0 when there is none.

    `change_id` rises with every committed write, `filters_id` with those that may change what a filter selects.
    """

    image_id: int
    tombstone_id: int
    change_id: int
    filters_id: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Detection:
    """A detector's result on an image. `p_fake` is None for an untrained detector."""

    detector: str
    fingerprint: str
    trained: bool
    logits: tuple[float, ...]
    p_fake: float | None
    detected_at: datetime
