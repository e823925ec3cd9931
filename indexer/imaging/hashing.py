"""PDQ: a 256-bit perceptual hash that survives re-encoding and scaling (Facebook, "TMK+PDQF", 2019)."""

from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import numpy.typing as npt
import pdqhash
from PIL import Image

_SIDE = 512
PDQ_METHOD = f"pdqhash {version('pdqhash')} of 512x512 bilinear"
"""How every hash here is taken; stored beside it, because hashes taken in other ways differ by some bits.

Every picture, small or large, is brought to 512 x 512 first: PDQ's blur window depends on the size, so that without
this a picture of 256 to 1024 pixels and its 60 % copy lie 7.5 bits apart on average instead of 1.9. The price is a
distance of 10 bits on average, at most 34, to hashes that other tools take at full size (60 pictures measured).
"""

_DIHEDRALS = (
    "original",
    "rotated_90",
    "rotated_180",
    "rotated_270",
    "flipped",
    "mirrored",
    "transposed",
    "transversed",
)


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


def pdq_hash(rgb: Image.Image) -> PdqHash:
    """The PDQ hash of a picture of mode RGB."""
    bits, quality = pdqhash.compute(_pixels(rgb))
    return _packed(bits, quality)


def pdq_dihedrals(rgb: Image.Image) -> tuple[tuple[str, PdqHash], ...]:
    """The hashes of the picture and of its seven turned and mirrored versions, by name, `original` first.

    A turned copy is found by searching with all eight. Rotations are counter-clockwise. PDQ derives the seven from
    one transform, which leaves them up to 16 bits off those of really turned pixels. Mirroring is what people do to
    evade, so that one is hashed from mirrored pixels (mirrored copies at 60 % and JPEG 50 then lie 4 bits away on
    average instead of 17).
    """
    pixels = _pixels(rgb)
    every, quality = pdqhash.compute_dihedral(pixels)
    hashes = {name: _packed(bits, quality) for name, bits in zip(_DIHEDRALS, every, strict=True)}
    hashes["mirrored"] = _packed(*pdqhash.compute(np.ascontiguousarray(pixels[:, ::-1])))
    return tuple(hashes.items())


def hamming(a: bytes, b: bytes) -> int:
    """How many bits differ between two hashes of the same length, 0 to 256 for PDQ."""
    if len(a) != len(b):
        raise ValueError("hashes of different lengths cannot be compared")
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def _pixels(rgb: Image.Image) -> npt.NDArray[np.uint8]:
    if rgb.size != (_SIDE, _SIDE):
        rgb = rgb.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(rgb, dtype=np.uint8)


def _packed(bits: npt.NDArray[np.int64], quality: int) -> PdqHash:
    return PdqHash(np.packbits(bits.astype(np.uint8)).tobytes(), int(quality))
