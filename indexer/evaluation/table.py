"""What peers and the confound check see of pictures: hashes, grey pixels, colour histograms and file facts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.arrays import Floats
from indexer.evaluation.files import FEATURES, file_facts
from indexer.evaluation.labelled import LabelledSet
from indexer.evaluation.pictures import Pictures
from indexer.imaging.hashing import pdq_hash
from indexer.threads.ahead import prepared_ahead

GREY_SIDE = 32
LEVELS = 8
"""Levels a channel in a colour histogram."""
_WORKERS = 2


@dataclass(frozen=True, slots=True)
class PictureTable:
    """One row per picture whose pixels are here.

    Attributes:
        numbers: [M] each row's place in the labelled set, rising.
        hashes: [M, 32] uint8 PDQ.
        qualities: [M] of the hashes, 0 to 100.
        greys: [M, 1024] see `grey_pixels`.
        colours: [M, 512] see `colour_histogram`.
        files: [M, F] `FileFacts.row`.
    """

    numbers: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint8]
    qualities: npt.NDArray[np.int64]
    greys: Floats
    colours: Floats
    files: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True, slots=True)
class _Row:
    hash: bytes
    quality: int
    grey: Floats
    colours: Floats
    file: list[float]


def picture_table(
    labelled: LabelledSet, pictures: Pictures, numbers: npt.NDArray[np.int64], done: Callable[[int], None]
) -> PictureTable:
    """Decodes the pictures with these numbers once each; those whose pixels are not here are left out."""

    def describe(number: int) -> _Row | None:
        sha256 = labelled.sha256[number]
        data, picture = pictures.data(sha256), pictures.picture(sha256)
        if data is None or picture is None:
            return None
        pdq = pdq_hash(picture)
        facts = file_facts(data, picture.width, picture.height)
        return _Row(pdq.bits, pdq.quality, grey_pixels(picture), colour_histogram(picture), facts.row())

    rows: list[tuple[int, _Row]] = []
    described = prepared_ahead(describe, numbers.tolist(), workers=_WORKERS, window=4 * _WORKERS)
    for count, (number, row) in enumerate(zip(numbers.tolist(), described, strict=True), 1):
        if row is not None:
            rows.append((number, row))
        done(count)
    table_rows = [row for _, row in rows]
    return PictureTable(
        numbers=np.array([number for number, _ in rows], np.int64),
        hashes=np.frombuffer(b"".join(row.hash for row in table_rows), np.uint8).reshape(-1, 32),
        qualities=np.array([row.quality for row in table_rows], np.int64),
        greys=np.array([row.grey for row in table_rows], np.float32).reshape(-1, GREY_SIDE**2),
        colours=np.array([row.colours for row in table_rows], np.float32).reshape(-1, LEVELS**3),
        files=np.array([row.file for row in table_rows], np.float64).reshape(-1, len(FEATURES)),
    )


def grey_pixels(picture: Image.Image) -> Floats:
    """The picture as 32 x 32 grey values, centred and L2-normalised: [1024]."""
    small = picture.convert("L").resize((GREY_SIDE, GREY_SIDE), Image.Resampling.BOX)
    values = np.asarray(small, np.float32).ravel()
    centred = values - values.mean()
    return np.asarray(centred / (float(np.linalg.norm(centred)) or 1.0), np.float32)


def colour_histogram(picture: Image.Image) -> Floats:
    """The square roots of the shares of 8 x 8 x 8 colours: [512], of length 1."""
    pixels = np.asarray(picture.convert("RGB"), np.uint8).reshape(-1, 3) // (256 // LEVELS)
    codes = (pixels[:, 0].astype(np.int64) * LEVELS + pixels[:, 1]) * LEVELS + pixels[:, 2]
    counts = np.bincount(codes, minlength=LEVELS**3)
    return np.asarray(np.sqrt(counts / counts.sum()), np.float32)
