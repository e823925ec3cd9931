"""Local features of a picture, few enough to keep for each image, and those of a picture that is asked with."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.arrays import Floats

Descriptors = npt.NDArray[np.uint8]

DIMENSION: Final = 128
FEATURES_AN_IMAGE: Final = 117
"""How many features of a known image are kept: as many as fit into 1.5 KB. Many with short codes find and prove more
crops than few with long ones."""
QUERY_SIDE: Final = 512
"""A picture that is asked with is shrunk to this before its features are taken: a known one may be a small part of
it."""
MIRRORED_BINS: Final = (
    np.arange(DIMENSION).reshape(4, 4, 8)[::-1][:, :, (-np.arange(8)) % 8].reshape(-1).astype(np.int64)
)
"""Where each number of a descriptor comes from when the picture is mirrored: the rows of its 4 x 4 cells change
places, and its eight directions turn the other way round."""


@dataclass(frozen=True, slots=True, eq=False)
class LocalFeatures:
    """N features of a picture.

    Attributes:
        size: width and height of the picture as it is upright, in pixels.
        points: [N, 2] float32, x and y in pixels of it.
        scales: [N] float32, diameters of what the features describe, in pixels of it.
        angles: [N] float32, directions of the features in radians, in [0, 2π).
        descriptors: [N, 128] uint8, RootSIFT times 255; those of unpacked features are approximate.
    """

    size: tuple[int, int]
    points: Floats
    scales: Floats
    angles: Floats
    descriptors: Descriptors

    def __len__(self) -> int:
        return len(self.points)

    @staticmethod
    def none(size: tuple[int, int]) -> "LocalFeatures":
        """No features of a picture of this size."""
        numbers = np.empty(0, np.float32)
        return LocalFeatures(size, numbers.reshape(0, 2), numbers, numbers, np.empty((0, DIMENSION), np.uint8))

    def rows(self, chosen: npt.NDArray[np.int64]) -> "LocalFeatures":
        """The features of these rows, in their order."""
        return LocalFeatures(
            self.size, self.points[chosen], self.scales[chosen], self.angles[chosen], self.descriptors[chosen]
        )

    def in_pixels_of(self, size: tuple[int, int]) -> "LocalFeatures":
        """The same features in pixels of the picture in another size."""
        if size == self.size:
            return self
        stretch = np.array(size, np.float64) / np.array(self.size, np.float64)
        return LocalFeatures(
            size,
            ((self.points + 0.5) * stretch - 0.5).astype(np.float32),
            (self.scales * np.sqrt(stretch.prod())).astype(np.float32),
            self.angles,
            self.descriptors,
        )

    def mirrored(self) -> "LocalFeatures":
        """The features of the picture mirrored left to right: the same gradients, counted the other way round."""
        points = self.points.copy()
        points[:, 0] = self.size[0] - 1 - points[:, 0]
        angles = np.mod(np.pi - self.angles, 2 * np.pi).astype(np.float32)
        return LocalFeatures(self.size, points, self.scales, angles, self.descriptors[:, MIRRORED_BINS])


@dataclass(frozen=True, slots=True, eq=False)
class QueryFeatures:
    """The features of a picture that is asked with, as it is and `mirrored` left to right."""

    upright: LocalFeatures
    mirrored: LocalFeatures

    @classmethod
    def of(cls, upright: LocalFeatures) -> "QueryFeatures":
        """Those of an upright picture, the mirrored ones made of them."""
        return cls(upright, upright.mirrored())
