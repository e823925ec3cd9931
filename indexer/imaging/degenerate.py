"""PDQ hashes that say nothing about a picture: what hashers print when they fail, and hashes of flat pictures.

They are recognised by their bits, because hash lists and queries carry no quality.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_BITS = 256
_ROWS = 16
_RADIUS: Final = 31
"""A hash within this many of 256 bits of a meaningless one is meaningless too."""
_PERIODS: Final = (8, 16, 32, 64)
_FEWEST, _MOST = 64, 192
"""PDQ sets a bit where a coefficient exceeds the median: 128 of 256 are set, but for ties. Flat pictures, whose
coefficients are rounding errors, set 0 to 128."""
_UNEVEN = 16
_ALIKE_ROWS, _ALIKE_UNEVEN_ROWS = 10, 32
"""How many bits in all tell each row (or column) from the one most like it: 14 to 90 in 2,117 real pictures, whose
hashes are even; 0 to 29 in flat ones."""


def says_nothing(bits: bytes) -> bool:
    """Whether a PDQ hash (32 bytes) is meaningless: no picture with content has it."""
    return bool(saying_nothing(np.frombuffer(bits, np.uint8)[None])[0])


def saying_nothing(hashes: Hashes) -> Mask:
    """Which of these PDQ hashes [N, 32] are meaningless [N]: those within the match radius of one pattern repeated
    (all zeros or ones among them), those with far too few or too many bits set, and those whose rows or columns repeat
    each other."""
    degenerate = np.zeros(len(hashes), np.bool_)
    for start in range(0, len(hashes), 4_096):
        degenerate[start : start + 4_096] = _saying_nothing(hashes[start : start + 4_096])
    return degenerate


def _saying_nothing(hashes: Hashes) -> Mask:
    weight = np.bitwise_count(hashes).sum(axis=1, dtype=np.int64)
    bits = np.unpackbits(hashes, axis=1)
    repeated = np.min([_from_repetition(bits, period) for period in _PERIODS], axis=0)
    turned = np.packbits(bits.reshape(-1, _ROWS, _ROWS).transpose(0, 2, 1).reshape(-1, _BITS), axis=1)
    alike = np.minimum(_apart(hashes), _apart(turned))
    uneven = abs(weight - _BITS // 2) > _UNEVEN
    return np.asarray(
        (weight < _FEWEST)
        | (weight > _MOST)
        | (repeated <= _RADIUS)
        | (alike <= np.where(uneven, _ALIKE_UNEVEN_ROWS, _ALIKE_ROWS))
    )


def _from_repetition(bits: Hashes, period: int) -> npt.NDArray[np.int64]:
    """Bits that differ from the nearest hash that repeats one pattern of `period` bits."""
    times = _BITS // period
    ones = bits.reshape(-1, times, period).sum(axis=1, dtype=np.int64)
    return np.asarray(np.minimum(ones, times - ones).sum(axis=1))


def _apart(hashes: Hashes) -> npt.NDArray[np.int64]:
    """Bits that tell each of the 16 rows of a hash from the one most like it, summed."""
    words = np.ascontiguousarray(hashes).view(np.uint16)
    differing = np.bitwise_count(words[:, :, None] ^ words[:, None, :]).astype(np.int64)
    differing[:, np.arange(_ROWS), np.arange(_ROWS)] = _BITS
    return np.asarray(differing.min(axis=2).sum(axis=1))
