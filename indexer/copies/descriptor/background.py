"""The background of a copy descriptor: embeddings of pictures that nobody asks for, against which a cosine is judged.

A picture that is near to everything (a page of text, a logo) is near to the background too, and its cosines count less.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from indexer.arrays import Floats, Vectors
from indexer.copies.descriptor.spec import BackgroundSpec
from indexer.errors import WeightsRefusedError

BACKGROUND_FILE: Final = "background.safetensors"
MAX_BYTES: Final = 256 * 1024 * 1024
_TENSOR = "background"


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """`vectors`: float32 [B, D], L2-normalised; `nearest`: how many of them count, at most B."""

    vectors: Vectors
    nearest: int

    def level(self, vectors: Vectors) -> Floats:
        """What a cosine to each of `vectors` [N, D] has to be above, float32 [N]: the mean of its `nearest` largest
        cosines to the background. The score of two pictures is their cosine less the query's level: the score
        normalisation of SSCD (Pizzi et al., CVPR 2022, arXiv 2202.10261, section 4.3)."""
        if not len(vectors):
            return np.zeros(0, np.float32)
        cosines = vectors @ self.vectors.T
        largest = np.partition(cosines, -self.nearest, axis=1)[:, -self.nearest :]
        level: Floats = largest.mean(axis=1, dtype=np.float64).astype(np.float32)
        return level

    @classmethod
    def read(cls, path: Path, spec: BackgroundSpec, dimension: int) -> "Background":
        """Reads the file `path`.

        Raises:
            WeightsRefusedError: it is missing, not the one that `spec` names, or not a table [B, D] of vectors of
                length 1 with at least as many rows as count.
        """
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise WeightsRefusedError(f"{path} cannot be read: {error.strerror}") from None
        if hashlib.sha256(data).hexdigest() != spec.sha256:
            raise WeightsRefusedError(f"{path} does not have the SHA-256 that the configuration beside it names")
        try:
            vectors = load(data)[_TENSOR].astype(np.float32)
        except (SafetensorError, KeyError, ValueError):
            raise WeightsRefusedError(f"{path} holds no tensor {_TENSOR} that can be read") from None
        if vectors.ndim != 2 or vectors.shape[1] != dimension or len(vectors) < spec.nearest:
            raise WeightsRefusedError(
                f"{path} has the shape {list(vectors.shape)}, but must have [B, {dimension}] with B at least "
                f"{spec.nearest}"
            )
        if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-2):  # false for numbers that are not finite
            raise WeightsRefusedError(f"{path} holds vectors that are not of length 1")
        return cls(vectors, spec.nearest)
