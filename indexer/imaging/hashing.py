"""PDQ: a 256-bit perceptual hash that survives re-encoding and scaling (Facebook, "TMK+PDQF", 2019).

The reference implementation's hash is stored and exchanged; a search uses several hashes of the query.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pdqhash
from PIL import Image

UPRIGHT = "original"
"""The orientation of an unchanged picture."""
NEGATIVE = "negative"
"""The orientation of a picture with its light and shade exchanged."""

_SIDE = 512

_MIRROR = Image.Transpose.FLIP_LEFT_RIGHT
_FLIP = Image.Transpose.FLIP_TOP_BOTTOM
_HALF_TURN = Image.Transpose.ROTATE_180

_DIHEDRALS = (
    UPRIGHT,
    "rotated_90",
    "rotated_180",
    "rotated_270",
    "flipped",
    "mirrored",
    "transposed",
    "transversed",
)
"""The orientations of the hashes from `pdqhash.compute_dihedral`, in order."""

_TURNED_PIXELS: tuple[tuple[Image.Transpose | None, tuple[tuple[str, str], ...]], ...] = (
    (None, ((UPRIGHT, UPRIGHT), ("transposed", "transposed"))),
    (_MIRROR, ((UPRIGHT, "mirrored"), ("transposed", "rotated_90"))),
    (_FLIP, ((UPRIGHT, "flipped"), ("transposed", "rotated_270"))),
    (_HALF_TURN, ((UPRIGHT, "rotated_180"), ("transposed", "transversed"))),
)
"""How pixels are turned, and which orientation of the picture two of the dihedral hashes of the turned ones are."""

_SHIFTED_SIDE, _CENTRED_SIDE = 256, 384
"""Sides of the squares that a query is also hashed at; the best two of seven tried on 200 pictures.

PDQ blurs with two box filters of a 128th of the side, rounded up. Those of an even width shift the picture by half a
pixel each: at 256 pixels by three eighths of a block of the 64 x 64 that are left, at 512 by three sixteenths, at 384,
where the width is odd, by next to nothing. So the reference hashes of a picture and of its copy at another size lie up
to 58 bits apart, for no reason that anybody sees. A query is hashed at both ends of that range: of 2,200 copies, scaled
to between a fifth and three times their size or 128 pixels, 2,198 are then found, and 2,151 without.
"""


@dataclass(frozen=True, slots=True)
class PdqHash:
    """A PDQ hash: `bits` 32 bytes, `quality` 0 (flat) to 100. PDQ's authors discard quality 49 and below."""

    bits: bytes
    quality: int

    def __post_init__(self) -> None:
        if len(self.bits) != 32:
            raise ValueError("a PDQ hash is 32 bytes")

    @property
    def hex(self) -> str:
        """The hash as 64 lower-case hex digits, the form hash lists use."""
        return self.bits.hex()

    @classmethod
    def from_hex(cls, text: str, quality: int = 100) -> "PdqHash":
        """The hash written as hex; leading zeros that other tools drop may be missing.

        Raises:
            ValueError: not 1 to 64 hex digits.
        """
        digits = text.strip()
        if not 1 <= len(digits) <= 64:
            raise ValueError("a PDQ hash is 64 hex digits")
        return cls(bytes.fromhex(digits.zfill(64)), quality)


@dataclass(frozen=True, slots=True)
class QueryHash:
    """One of the hashes to search with: `bits` (32 bytes) of the picture in an `orientation`, by the reference method,
    or brought to a square of side `resized_to` first (None: not)."""

    orientation: str
    bits: bytes
    resized_to: int | None = None


@dataclass(frozen=True, slots=True)
class HashedPicture:
    """A picture's reference hash, and all hashes to search with, the reference hash first."""

    reference: PdqHash
    queries: tuple[QueryHash, ...]


def pdq_hash(rgb: Image.Image) -> PdqHash:
    """The PDQ hash of a picture of mode RGB, as the reference implementation takes it (ThreatExchange,
    pdq/cpp/io/pdqio.cpp): of the picture as it is where no side is over 512 pixels, else of 512 x 512 of its pixels."""
    bits, quality = pdqhash.compute(_array(_reference_pixels(rgb)))
    return PdqHash(_packed(bits), int(quality))


def query_hashes(rgb: Image.Image) -> HashedPicture:
    """The hashes to search with for a picture of mode RGB and its turned, mirrored and scaled copies.

    Besides the reference hash, that of two sizes in all eight orientations; rotations are counter-clockwise. Where the
    blur shifts the picture, a turned picture is not shifted the same way, so its hash is taken of turned pixels.
    """
    reference = pdq_hash(rgb)
    queries = [QueryHash(UPRIGHT, reference.bits)]
    # a whole reduction first: resizing twelve megapixels in one step takes many times as long
    factor = min(rgb.size) // _SIDE
    smaller = rgb.reduce(factor) if factor > 1 else rgb
    centred = _dihedrals(_resized(smaller, _CENTRED_SIDE))
    queries += [QueryHash(name, bits, _CENTRED_SIDE) for name, bits in centred.items()]
    shifted = _resized(smaller, _SHIFTED_SIDE)
    for turn, names in _TURNED_PIXELS:
        dihedrals = _dihedrals(shifted if turn is None else shifted.transpose(turn))
        queries += [QueryHash(name, dihedrals[of], _SHIFTED_SIDE) for of, name in names]
    return HashedPicture(reference, tuple(queries))


def negative(query: QueryHash) -> QueryHash:
    """The hash of the picture's negative: every coefficient has the opposite sign, so every bit is the other one."""
    return replace(query, orientation=NEGATIVE, bits=bytes(255 - byte for byte in query.bits))


def hamming(a: bytes, b: bytes) -> int:
    """How many bits differ between two hashes of the same length, 0 to 256 for PDQ."""
    if len(a) != len(b):
        raise ValueError("hashes of different lengths cannot be compared")
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def _reference_pixels(rgb: Image.Image) -> Image.Image:
    """The pixels that CImg's resize picks by default: of W columns, place x of 512 takes column floor(x W / 512), where
    Pillow's takes the one in the middle."""
    if max(rgb.size) <= _SIDE:
        return rgb
    wide, high = rgb.width / _SIDE, rgb.height / _SIDE  # exact, as all below: 512 is a power of two
    picked = (wide, 0.0, -wide / 2, 0.0, high, -high / 2)
    return rgb.transform((_SIDE, _SIDE), Image.Transform.AFFINE, picked, Image.Resampling.NEAREST)


def _resized(rgb: Image.Image, side: int) -> Image.Image:
    return rgb.resize((side, side), Image.Resampling.BILINEAR)


def _dihedrals(rgb: Image.Image) -> dict[str, bytes]:
    every, _ = pdqhash.compute_dihedral(_array(rgb))
    return {name: _packed(bits) for name, bits in zip(_DIHEDRALS, every, strict=True)}


def _array(rgb: Image.Image) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(rgb, dtype=np.uint8)


def _packed(bits: npt.NDArray[np.int64]) -> bytes:
    return np.packbits(bits.astype(np.uint8)).tobytes()
