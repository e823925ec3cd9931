"""Local features as bytes, to be kept in a catalogue and read from it: at most 1,536 of an image.

Six bytes of header (width, height, count), then by column: lists (2 bytes a feature), codes (8), and one byte each
for x and y (in 256ths of the picture's sides) and for direction and scale (16 steps each).
"""

import logging
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.copies.features.codebook import CODE_BYTES, LISTS, Codes, ListNumbers, codebook
from indexer.copies.features.local_features import FEATURES_AN_IMAGE, LocalFeatures
from indexer.errors import UsageError

logger = logging.getLogger(__name__)

_HEADER: Final = struct.Struct("<HHH")
_FEATURE_BYTES: Final = 2 + CODE_BYTES + 3
MOST_BYTES: Final = _HEADER.size + FEATURES_AN_IMAGE * _FEATURE_BYTES
_MAX_SIDE: Final = 0xFFFF
_PLACES: Final = 256
_TURNS: Final = 16
_SCALES: Final = 16
_SMALLEST_SCALE: Final = -8.5
"""Binary logarithm of the smallest scale over the picture's longer side; steps are half an octave."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedCodes:
    """What an index needs of packed features: `lists` [N] uint16 and `codes` [N, 8] uint8."""

    lists: ListNumbers
    codes: Codes


def pack(features: LocalFeatures) -> bytes:
    """The first 117 features as bytes, for `unpack`; empty when there are none."""
    kept = features.rows(np.arange(min(len(features), FEATURES_AN_IMAGE)))
    if not len(kept):
        return b""
    lists, codes = codebook().encode(kept.descriptors)
    width, height = (min(side, _MAX_SIDE) for side in kept.size)
    sides = np.array(kept.size, np.float64)
    geometry = np.empty((len(kept), 3), np.uint8)
    geometry[:, :2] = np.floor((kept.points + 0.5) / sides * _PLACES).clip(0, _PLACES - 1)
    turns = np.rint(kept.angles / (2 * np.pi) * _TURNS).astype(np.int64) % _TURNS
    octaves = np.log2(np.maximum(kept.scales / sides.max(), 1e-6)) - _SMALLEST_SCALE
    geometry[:, 2] = turns * _SCALES + np.rint(2 * octaves).astype(np.int64).clip(0, _SCALES - 1)
    header = _HEADER.pack(width, height, len(kept))
    columns: tuple[bytes, ...] = (lists.astype("<u2").tobytes(), codes.tobytes(), geometry.tobytes())
    return b"".join((header, *columns))


def unpack(data: bytes) -> LocalFeatures:
    """The features that were packed; those of no bytes are none, of a picture of one pixel.

    Raises:
        UsageError: these bytes are no packed features of this version.
    """
    packed = packed_codes(data)
    if not data:
        return LocalFeatures.none((1, 1))
    width, height, count = _HEADER.unpack_from(data)
    geometry = np.frombuffer(data, np.uint8, offset=len(data) - 3 * count).reshape(count, 3).astype(np.float64)
    sides = np.array((width, height), np.float64)
    points = ((geometry[:, :2] + 0.5) / _PLACES * sides - 0.5).astype(np.float32)
    turns, steps = np.divmod(geometry[:, 2], _SCALES)
    angles = turns * (2 * np.pi / _TURNS)
    scales = sides.max() * 2.0 ** (_SMALLEST_SCALE + steps / 2)
    return LocalFeatures(
        (width, height),
        points,
        scales.astype(np.float32),
        angles.astype(np.float32),
        codebook().decode(packed.codes),
    )


def readable(data: bytes, whose: str) -> LocalFeatures | None:
    """The features that were packed; None where there are none, or they are damaged, which is logged of
    `whose`."""
    try:
        return unpack(data) if data else None
    except UsageError as error:
        logger.warning("%s is left out: %s", whose, error)
        return None


def packed_codes(data: bytes) -> PackedCodes:
    """The lists and codes of packed features alone.

    Raises:
        UsageError: as `unpack`.
    """
    if not data:
        return PackedCodes(np.empty(0, np.uint16), np.empty((0, CODE_BYTES), np.uint8))
    if len(data) < _HEADER.size:
        raise _damaged()
    width, height, count = _HEADER.unpack_from(data)
    if not (width and height and 0 < count <= FEATURES_AN_IMAGE and len(data) == _HEADER.size + count * _FEATURE_BYTES):
        raise _damaged()
    lists: npt.NDArray[np.uint16] = np.frombuffer(data, "<u2", count, _HEADER.size)
    if int(lists.max()) >= LISTS:
        raise _damaged()
    codes = np.frombuffer(data, np.uint8, count * CODE_BYTES, _HEADER.size + 2 * count).reshape(count, CODE_BYTES)
    return PackedCodes(lists, codes)


def _damaged() -> UsageError:
    return UsageError("the stored local features of an image are damaged: delete the image and ingest its file again")
