"""Embeddings of real pictures: altered copies of a manifest's pictures, embedded by the bundled detector and cached.

Copies are made round by round, one of every picture a round, so that whatever the cache holds is spread over all
pictures. A run that is stopped goes on where it was.
"""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from indexer.arrays import Vectors
from indexer.cli.output import progress
from indexer.detector import load_detector
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.imaging.alterations import ALTERATIONS, apply
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.sources import SourceItem, open_source

if TYPE_CHECKING:
    from indexer.detector import Detector


LARGEST_SIDE = 512
"""Pixels: originals are scaled down to this before they are altered, for altering large ones takes longer than
embedding them."""
ROW_BYTES = 4 * 384


def real_vectors(pictures: Path, per_picture: int, settings: Settings, cache: Path) -> Vectors:
    """[N, 384] float32, L2-normalised: embeddings of `per_picture` altered copies of every picture, in a fixed order.

    Args:
        pictures: anything `dejafake ingest` takes.
        settings: device and precision of the detector.
        cache: folder for the file of embeddings; it is appended to.

    Raises:
        DejafakeError: there are no pictures there.
    """
    limits = ImageLimits.from_settings(settings)
    originals = list(_originals(pictures, limits))
    if not originals:
        raise DejafakeError(f"{pictures} holds no picture that can be read")
    detector = load_detector(settings, "dejafake-small")
    digest = hashlib.sha256(b"".join(picture.tobytes() for picture in originals)).hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{detector.fingerprint[:12]}-{detector.precision}-{digest[:12]}.f32"
    total = per_picture * len(originals)
    with path.open("ab") as file, progress("embeddings", total) as advance:
        have = file.tell() // ROW_BYTES
        file.truncate(have * ROW_BYTES)
        advance(min(have, total))
        for start in range(have, total, settings.batch_size):
            numbers = range(start, min(total, start + settings.batch_size))
            file.write(_embedded(detector, originals, numbers, limits).tobytes())
            file.flush()
            advance(len(numbers))
    return np.fromfile(path, np.float32, total * 384).reshape(total, 384)


def _originals(pictures: Path, limits: ImageLimits) -> Iterator[Image.Image]:
    for item in open_source(pictures, limits):
        if isinstance(item, SourceItem):
            try:
                picture = decode(item.read(), limits).rgb
            except ImageRejectedError:
                continue
            picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            yield picture


def _embedded(detector: "Detector", originals: list[Image.Image], numbers: range, limits: ImageLimits) -> Vectors:
    copies = (_copy(originals[number % len(originals)], number // len(originals), limits) for number in numbers)
    embeddings: Vectors = detector.run(np.stack([detector.prepare(copy) for copy in copies])).embeddings
    return embeddings


def _copy(picture: Image.Image, number: int, limits: ImageLimits) -> Image.Image:
    """The `number`-th altered copy: one alteration each at first, then two, three, … by seeded chance."""
    names = sorted(ALTERATIONS)
    depth, chance = 1 + number // len(names), random.Random(number)
    for name in [names[number % len(names)], *chance.choices(names, k=min(depth, 3) - 1)]:
        picture = decode(apply(name, picture, seed=number), limits).rgb
    return picture
