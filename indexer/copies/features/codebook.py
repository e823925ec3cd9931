"""The codebook that comes with dejafake: how descriptors become few bytes, and the inverted lists of their index.

Made by `python -m indexer.copies.features.training` from training pictures alone.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load

from indexer.arrays import Floats
from indexer.copies.features.local_features import DIMENSION, Descriptors
from indexer.errors import WeightsRefusedError

CODE_BYTES: Final = 8
"""Bytes of a descriptor's code: one for each of its parts."""
CENTROIDS: Final = 256
LISTS: Final = 8_192
CODEBOOK: Final = Path(__file__).parent / "shipped" / "codebook.safetensors"
CODEBOOK_SHA256: Final = "b2856d2a0154fc8fefaf884be531b04ab99ede60bee0d697eeb6846c12fb9d5c"
FEATURES_FINGERPRINT: Final = hashlib.sha256(f"sift-384-rootsift-opq8-2 {CODEBOOK_SHA256}".encode()).hexdigest()
"""Of the method and the codebook: features of another fingerprint are never compared."""

Codes = npt.NDArray[np.uint8]
ListNumbers = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Codebook:
    """An optimised product quantiser (Ge et al., CVPR 2013) of RootSIFT descriptors, and a coarse quantiser.

    Attributes:
        rotation: [128, 128] float32, orthonormal; a descriptor times it is what the parts are cut from.
        parts: [8, 256, 16] float32, the centroids of each part.
        lists: [8192, 128] float32, the centroids of the inverted lists, rotated.
    """

    rotation: Floats
    parts: Floats
    lists: Floats

    def rotated(self, descriptors: Descriptors) -> Floats:
        """Descriptors [N, 128] where codes and lists are near them."""
        rotated: Floats = descriptors.astype(np.float32) @ self.rotation
        return rotated

    def encode(self, descriptors: Descriptors) -> tuple[ListNumbers, Codes]:
        """The list [N] and the code [N, 8] of each descriptor [N, 128]."""
        rotated = self.rotated(descriptors)
        codes = np.empty((len(rotated), CODE_BYTES), np.uint8)
        for part, own in enumerate(np.split(rotated, CODE_BYTES, axis=1)):
            codes[:, part] = _nearest(own, self.parts[part])
        return _nearest(rotated, self.lists).astype(np.uint16), codes

    def decode(self, codes: Codes) -> Descriptors:
        """The descriptors [N, 128] that codes [N, 8] stand for, approximately."""
        rotated = self.parts[np.arange(CODE_BYTES), codes].reshape(len(codes), DIMENSION)
        decoded: Descriptors = np.rint(rotated @ self.rotation.T).clip(0, 255).astype(np.uint8)
        return decoded


@cache
def codebook() -> Codebook:
    """The codebook that comes with dejafake, read once.

    Raises:
        WeightsRefusedError: its file is missing or not the one that belongs to this version.
    """
    try:
        data = CODEBOOK.read_bytes()
        if hashlib.sha256(data).hexdigest() != CODEBOOK_SHA256:
            raise ValueError("another digest")
        tensors = {name: tensor.astype(np.float32) for name, tensor in load(data).items()}
        book = Codebook(tensors["rotation"], tensors["parts"], tensors["lists"] @ tensors["rotation"])
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise WeightsRefusedError(
            f"the codebook of local features, {CODEBOOK}, is missing or was changed: install dejafake again"
        ) from error
    return book


def _nearest(vectors: Floats, centroids: Floats) -> npt.NDArray[np.int64]:
    """The number of the nearest centroid [C, D] of each vector [N, D]; of equal ones the first."""
    nearest: npt.NDArray[np.int64] = np.argmin((centroids**2).sum(axis=1) - 2 * (vectors @ centroids.T), axis=1)
    return nearest
