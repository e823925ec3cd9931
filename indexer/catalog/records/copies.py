"""Records of copy descriptors and local features."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class DescriptorEntry:
    """A copy descriptor that has embeddings in this catalogue; they have `dimension` numbers each."""

    name: str
    fingerprint: str
    dimension: int
    embeddings: int
    added_at: datetime


@dataclass(frozen=True, slots=True)
class FeaturesBatch:
    """Packed local features in the order they were added. `feature_ids`, `image_ids` [N] int64; N `codes`, empty where
    a picture has too little in it."""

    feature_ids: npt.NDArray[np.int64]
    image_ids: npt.NDArray[np.int64]
    codes: tuple[bytes, ...]
