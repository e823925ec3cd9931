"""The invisible watermark that Stable Diffusion's own scripts put into their pictures (`dwtDct` of the package
invisible-watermark 0.2.0, whose published method this follows).

The picture's U channel is halved by a Haar wavelet; of every 4 x 4 block of what remains, the strongest value but the
first tells one bit by the half of a step of 36 it lies in; the message repeats over all blocks. A miss is no evidence:
JPEG and resizing destroy it.
"""

from collections.abc import Mapping
from functools import cache
from math import comb
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.provenance.findings import Finding, Watermark
from indexer.vocabulary import EvidenceKind, ProvenanceKind

Bits = npt.NDArray[np.bool_]

STEP: Final = 36.0
BLOCK: Final = 4
MAX_FALSE: Final = 1e-6
"""Highest probability that random bits match any message, summed over all messages and readings."""
LEAST_PIXELS, MOST_PIXELS = 256 * 256, 2_048 * 2_048
"""Smallest picture that is watermarked, and the largest looked at: larger ones were scaled, which destroys it."""


def _bits_of(message: bytes) -> Bits:
    return np.unpackbits(np.frombuffer(message, np.uint8)).astype(np.bool_)


MESSAGES: Final[Mapping[str, Bits]] = {
    "Stable Diffusion 1": _bits_of(b"StableDiffusionV1"),
    "Stable Diffusion 2": _bits_of(b"SDV2"),
    "Stable Diffusion XL": _bits_of((0b101100111110110010010000011110111011000110011110).to_bytes(6, "big")),
}
"""What each generator's scripts write: 136, 32 and 48 bits."""

_U = np.array([[-0.147108, -0.288804, 0.435912], [0.435912, -0.288804, -0.147108]], np.float32)
"""Weights of U for RGB and for BGR order: scripts use both."""
_MIDDLES = (128.0, 0.5)
"""The centre of U, for integers and for floats: scripts differ in this too."""
_READINGS = len(_U) * len(_MIDDLES)


@cache
def least_matching(length: int) -> int:
    """Fewest of a message's bits that must match: fewer would match by chance more often than `MAX_FALSE` allows."""
    allowed = MAX_FALSE / (len(MESSAGES) * _READINGS)
    tail = 0
    for matching in range(length, 0, -1):
        tail += comb(length, matching)
        if tail / 2**length > allowed:
            return matching + 1
    return 1


def read_watermark(picture: Image.Image) -> list[Finding]:
    """A finding when a picture of mode RGB carries one of the messages; none otherwise."""
    if not LEAST_PIXELS <= picture.width * picture.height <= MOST_PIXELS:
        return []
    best = max((_best(votes) for votes in _votes(np.asarray(picture, np.uint8))), key=_surplus)
    return [_finding(best)] if _surplus(best) >= 0 else []


def _surplus(watermark: Watermark) -> int:
    return watermark.matching - least_matching(watermark.length)


def _votes(rgb: npt.NDArray[np.uint8]) -> list[Bits]:
    """Each block's vote in each of the readings."""
    import cv2  # takes a while to load: only when there is a picture

    height, width = (edge // (2 * BLOCK) * 2 * BLOCK for edge in rgb.shape[:2])
    means = cv2.resize(
        rgb[:height, :width].astype(np.float32), (width // 2, height // 2), interpolation=cv2.INTER_AREA
    )  # what Haar's wavelet keeps of 2 x 2 values is twice their mean
    return [_block_bits(2 * (means @ weights + middle)) for weights in _U for middle in _MIDDLES]


def _block_bits(halved: npt.NDArray[np.float32]) -> Bits:
    """One bit a block, from the halved channel: whether its strongest value lies in the upper half of a step."""
    values = np.abs(halved)
    values[::BLOCK, ::BLOCK] = 0
    by_row = values.reshape(len(values) // BLOCK, BLOCK, -1).max(axis=1)
    strongest = np.max([by_row[:, offset::BLOCK] for offset in range(BLOCK)], axis=0).ravel()
    return np.asarray(strongest % STEP > STEP / 2, np.bool_)


def _best(votes: Bits) -> Watermark:
    """The message that the votes of the blocks come nearest to.

    A bit is set where more blocks vote for it than for the average bit: blocks of one colour vote for none or for all
    alike, which a fixed half would take for a message.
    """
    candidates = []
    for name, message in MESSAGES.items():
        rounds = len(votes) // len(message)
        share = votes[: rounds * len(message)].reshape(rounds, len(message)).mean(axis=0)
        candidates.append(Watermark(name, int(((share > share.mean()) == message).sum()), len(message)))
    return max(candidates, key=_surplus)


def _finding(mark: Watermark) -> Finding:
    return Finding(
        kind=ProvenanceKind.WATERMARK,
        worth=EvidenceKind.STATISTICAL,
        statement=f"The pixels carry the invisible watermark of {mark.name}: {mark.matching} of {mark.length} bits "
        f"match, as many as random bits match in fewer than one of {1 / MAX_FALSE:,.0f} pictures. Anyone can put it "
        "into a picture; that it is missing would mean nothing.",
        where="pixels",
        made_with=mark.name,
        watermark=mark,
    )
