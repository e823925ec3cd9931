"""Pictures that belong to nobody known: near-duplicates among them and of known ones are left out first."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.copying.collection import Known, read_pictures
from benchmarks.copying.peers import Embed, PdqAlone, embedded
from indexer.arrays import Floats
from indexer.imaging.decoding import decode
from indexer.imaging.hashing import pdq_hash
from indexer.imaging.limits import ImageLimits

NEAR_BITS, NEAR_COSINE = 40, 0.75
"""Nearer than this by PDQ, or by SSCD where it is there, two pictures are near-duplicates: SSCD's own paper takes .75
as a copy at 90 % precision."""
_APART, _WITHIN = 60, 150
"""Strangers that serve as backgrounds, and inside traps: they are not asked with."""


@dataclass(frozen=True, slots=True)
class Strangers:
    """Those that are left. `asked`: file by SHA-256; `apart`: pictures for backgrounds; `within`: pictures for traps;
    `dropped`: near-duplicates that were left out."""

    asked: Mapping[str, bytes]
    apart: tuple[Image.Image, ...]
    within: tuple[Image.Image, ...]
    dropped: int


def gather(
    paths: Sequence[Path], limits: ImageLimits, known: Known, near: tuple[Embed, Floats] | None, store: Path,
    tell: Callable[[int], None],
) -> Strangers:  # fmt: skip
    """Reads them and leaves near-duplicates out.

    Args:
        paths: manifests, folders or archives.
        limits: bounds on files.
        known: what they must not be near.
        near: an embedding and the known pictures' [N, D], to find near-duplicates that PDQ does not.
        store: where embeddings are kept from run to run.
        tell: hears of each embedding.
    """
    files = {hashlib.sha256(data).hexdigest(): data for _, data in read_pictures(paths, limits)}
    names = sorted(files)
    if not names:
        return Strangers({}, (), (), 0)
    small = {name: _small(files[name], limits) for name in names}
    hashed = [pdq_hash(small[name]) for name in names]
    near_by_pdq = PdqAlone(
        np.concatenate([known.hashes, np.stack([np.frombuffer(one.bits, np.uint8) for one in hashed])]),
        # pictures without structure hash alike: only hashes of some quality tell near-duplicates
        np.concatenate([known.readable, np.array([one.quality >= known.min_quality for one in hashed])]),
        known.min_quality,
    )
    vectors = (
        None if near is None else embedded(near[0], names, lambda name: decode(files[name], limits).rgb, store, tell)
    )
    count, kept = len(known.sha256s), list[int]()
    for number, name in enumerate(names):
        bits = near_by_pdq.distances(small[name])
        nearest = min(bits[:count].min(initial=256), bits[count:][kept].min(initial=256))
        cosine = -1.0
        if vectors is not None and near is not None:
            others = np.concatenate([near[1], vectors[kept]])
            cosine = float((others @ vectors[number]).max(initial=-1))
        if nearest > NEAR_BITS and cosine < NEAR_COSINE:
            kept.append(number)
    left = [names[number] for number in kept]
    spare, behind = min(_APART + _WITHIN, len(left) // 4), min(_APART, len(left) // 12)
    apart = [_small(files[name], limits, 900) for name in left[:spare]]
    asked = {name: files[name] for name in left[spare:]}
    return Strangers(asked, tuple(apart[:behind]), tuple(apart[behind:]), len(names) - len(left))


def _small(data: bytes, limits: ImageLimits, side: int = 512) -> Image.Image:
    """Enough of the picture for its hash; a copy, since a decoded picture that is held keeps others waiting."""
    picture = decode(data, limits).rgb.copy()
    picture.thumbnail((side, side))
    return picture
