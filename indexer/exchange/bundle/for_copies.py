"""Copy embeddings and local features of a part's images: further tensors of its `embeddings/` member, which readers
that do not know them pass over. What made them is in the tensors' names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from indexer.arrays import Vector
from indexer.catalog.copies.local_features import MOST_BYTES

MOST_NUMBERS: Final = 4_096
"""Largest dimension of a copy embedding that is read."""
_COPIES: Final = re.compile(r"copies:([0-9a-f]{64})")
_FEATURES: Final = re.compile(r"features:([0-9a-zA-Z._-]{1,64})")
_COPIES_OF: Final = "copies_of"
_FEATURES_OF: Final = "features_of"
_FEATURES_BYTES: Final = "features_bytes"
_NORM_TOLERANCE: Final = 1e-2

Tensors = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class ForCopies:
    """What copies of a part's images are found by, by SHA-256: embeddings [D] by the copy descriptor `descriptor`, and
    packed local features by the method `method`, both fingerprints; None where there are none."""

    descriptor: str | None = None
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    method: str | None = None
    features: Mapping[str, bytes] = field(default_factory=dict)

    def tensors(self, sha256s: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """As tensors, of the images `sha256s` of a part: rows of vectors and bytes of features, whose images are told
        by their place in the part."""
        tensors: dict[str, npt.NDArray[Any]] = {}
        described = [at for at, sha256 in enumerate(sha256s) if sha256 in self.vectors]
        if self.descriptor is not None and described:
            rows = np.stack([self.vectors[sha256s[at]] for at in described]).astype("<f4")
            tensors |= {f"copies:{self.descriptor}": rows, _COPIES_OF: np.array(described, "<i4")}
        featured = [at for at, sha256 in enumerate(sha256s) if self.features.get(sha256)]
        if self.method is not None and featured:
            codes = [self.features[sha256s[at]] for at in featured]
            tensors |= {
                f"features:{self.method}": np.frombuffer(b"".join(codes), np.uint8),
                _FEATURES_OF: np.array(featured, "<i4"),
                _FEATURES_BYTES: np.array([len(code) for code in codes], "<i4"),
            }
        return tensors

    @classmethod
    def read(cls, tensors: Tensors, sha256s: Sequence[str]) -> "ForCopies":
        """What a part's tensors hold of it; tensors of other names are passed over.

        Raises:
            ValueError: they contradict themselves; says how.
        """
        descriptor, vectors = _named(_COPIES, tensors)
        method, features = _named(_FEATURES, tensors)
        return cls(
            descriptor,
            {} if vectors is None else _vectors(vectors, _rows(tensors, _COPIES_OF, len(sha256s)), sha256s),
            method,
            {} if features is None else _features(features, tensors, sha256s),
        )


def _named(pattern: re.Pattern[str], tensors: Tensors) -> tuple[str | None, npt.NDArray[Any] | None]:
    matches = [match for name in sorted(tensors) if (match := pattern.fullmatch(name))]
    if len(matches) > 1:
        raise ValueError(f"two tensors {pattern.pattern.partition(':')[0]}")
    return (matches[0][1], tensors[matches[0][0]]) if matches else (None, None)


def _rows(tensors: Tensors, name: str, images: int) -> list[int]:
    rows = tensors.get(name)
    if rows is None or rows.dtype != np.int32 or rows.ndim != 1 or (np.diff(rows) <= 0).any():
        raise ValueError(f"no {name} that names each image once, in order")
    if len(rows) and not 0 <= int(rows[0]) <= int(rows[-1]) < images:
        raise ValueError(f"{name} names images that are not there")
    return [int(row) for row in rows]


def _vectors(vectors: npt.NDArray[Any], rows: list[int], sha256s: Sequence[str]) -> dict[str, Vector]:
    sound = vectors.dtype == np.float32 and vectors.ndim == 2 and 0 < vectors.shape[1] <= MOST_NUMBERS
    if not sound or len(vectors) != len(rows):
        raise ValueError("copy embeddings that are not one for each image named")
    if not (abs(np.linalg.norm(vectors.astype(np.float64), axis=1) - 1) < _NORM_TOLERANCE).all():
        raise ValueError("copy embeddings that are not finite and of length 1")
    return {sha256s[row]: vector for row, vector in zip(rows, vectors, strict=True)}


def _features(codes: npt.NDArray[Any], tensors: Tensors, sha256s: Sequence[str]) -> dict[str, bytes]:
    rows, sizes = _rows(tensors, _FEATURES_OF, len(sha256s)), tensors.get(_FEATURES_BYTES)
    if sizes is None or sizes.dtype != np.int32 or sizes.shape != (len(rows),) or codes.dtype != np.uint8:
        raise ValueError("local features that are not one for each image named")
    if (sizes <= 0).any() or (sizes > MOST_BYTES).any() or codes.shape != (int(sizes.sum(dtype=np.int64)),):
        raise ValueError("local features of other sizes than it says")
    ends = np.cumsum(sizes, dtype=np.int64)
    return {
        sha256s[row]: codes[end - size : end].tobytes()
        for row, size, end in zip(rows, sizes.tolist(), ends.tolist(), strict=True)
    }
