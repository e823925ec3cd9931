"""Does a box on a picture find the known fake it was pasted from? `python -m benchmarks.regions MANIFEST`

Parts of the machine-made pictures of MANIFEST are scaled, pasted into its photographs and saved as JPEG; the box around
each is searched among all pictures of MANIFEST and, with `--photographs FOLDER`, among as many cuts of those as make up
`--distractors`. Boxes of photographs that hold no part of any known picture must find nothing. The peer on the same
queries, among the pictures of MANIFEST alone: the bundled detector's patch embeddings pooled over the box, against
those of overlapping windows of every picture.
"""

import argparse
import io
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.reporting.report import Check, Interval, Report, conclude, wilson
from indexer.copies.features import FEATURES_AN_IMAGE, FEATURES_FINGERPRINT, LocalFeatures, pack, unpack
from indexer.copies.features.sift import features_of
from indexer.detector import load_detector
from indexer.detector.preprocessing import seen_box
from indexer.detector.spec import GRID
from indexer.detector.training import photographs
from indexer.errors import UsageError
from indexer.examine.regions import CANDIDATES, Box, RegionHit, find_region, region_features
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.index.features import FeatureFolder, FeatureStore
from indexer.settings import Settings
from indexer.sources import SourceItem, open_source
from indexer.vocabulary import LabelValue

if TYPE_CHECKING:
    from indexer.detector import Detector, DetectorSpec

QUESTION = "Does a box on a picture find the known fake it was pasted from?"
CELL = 4
WINDOWS = (1, 2, 3, 4, 5, 6)
"""Sides of the peer's windows, in cells of 4 x 4 patches."""
BATCH = 8
CUT_SIDES = (320, 640)
FALSE_ALARMS_AIM = 0.05


@dataclass(frozen=True, slots=True)
class Query:
    """A picture, the box that is searched with, and the number of the picture the region came from, -1 for none."""

    picture: Image.Image
    box: Box
    source: int


@dataclass(frozen=True, slots=True)
class Row:
    """One engine over one catalogue. `first`: the source was the first answer; `found`: it was among the answers."""

    engine: str
    pictures: int
    first: Interval
    found: Interval
    milliseconds_a_query: float
    bytes_a_picture: int


def measure(manifest: Path, folder: Path | None, distractors: int, queries: int, every: int = 1) -> Report:
    """The report, on each (1) or each second (2) picture of the manifest, or so on."""
    pictures, fake = _pictures(manifest, every)
    asked = list(_queries(pictures, fake, queries))
    strangers = [Query(query.picture, query.box, -1) for query in _strangers(pictures, fake, queries)]
    fakes_only = [(number, pack(features_of(pictures[number]))) for number in np.flatnonzero(fake).tolist()]
    rows = [_ours(fakes_only, asked)]
    rows.append(_peer([pictures[number] for number, _ in fakes_only], [number for number, _ in fakes_only], asked))
    wider = fakes_only
    if folder is not None:
        cuts = _cuts(folder, distractors - len(fakes_only))
        wider = fakes_only + [(len(pictures) + number, pack(features_of(cut))) for number, cut in enumerate(cuts)]
        rows.append(_ours(wider, asked))
    shelf = _Shelf(wider)
    alarms = sum(bool(shelf.find(stranger)) for stranger in strangers)
    alarmed = wilson(alarms, len(strangers))
    ours, peer = rows[0], rows[1]
    checks = (
        Check("found first, against the pooled patch embeddings", str(ours.first), f"> {peer.first}",
              ours.first.low > peer.first.high),
        Check(f"boxes that nobody has, among {len(wider):,}, find something", str(alarmed), f"≤ {FALSE_ALARMS_AIM:.0%}",
              alarmed.share <= FALSE_ALARMS_AIM),
    )  # fmt: skip
    parameters = {"features": FEATURES_AN_IMAGE, "queries": len(asked), "strangers": len(strangers)}
    return Report(QUESTION, parameters, tuple(rows), checks)


def _pictures(manifest: Path, every: int) -> tuple[list[Image.Image], list[bool]]:
    limits = ImageLimits.from_settings(Settings())
    pictures, fake = [], []
    for item in islice(open_source(manifest, limits), 0, None, every):
        if isinstance(item, SourceItem):
            pictures.append(decode(item.read(), limits).rgb)
            fake.append(item.value is LabelValue.FAKE)
    if not any(fake) or all(fake):
        raise UsageError(f"{manifest} must list machine-made pictures and photographs: both are needed")
    return pictures, fake


def _queries(pictures: Sequence[Image.Image], fake: Sequence[bool], count: int) -> Iterator[Query]:
    """Parts of 30 to 55 % of a fake's sides, pasted at 30 to 50 % of a photograph's width, as JPEG of quality 85."""
    rng = random.Random(1)
    fakes = [number for number, is_fake in enumerate(fake) if is_fake]
    photos = [number for number, is_fake in enumerate(fake) if not is_fake]
    for _ in range(count):
        source, target = rng.choice(fakes), pictures[rng.choice(photos)].copy()
        whole, share = pictures[source], rng.uniform(0.3, 0.55)
        width, height = int(whole.width * share), int(whole.height * share)
        left, top = rng.randrange(whole.width - width), rng.randrange(whole.height - height)
        scale = rng.uniform(0.3, 0.5) * target.width / width
        size = int(width * scale), min(int(height * scale), target.height - 2)
        piece = whole.crop((left, top, left + width, top + height)).resize(size, Image.Resampling.LANCZOS)
        at = rng.randrange(target.width - size[0]), rng.randrange(target.height - size[1])
        target.paste(piece, at)
        yield Query(_as_jpeg(target), (at[0], at[1], at[0] + size[0], at[1] + size[1]), source)


def _strangers(pictures: Sequence[Image.Image], fake: Sequence[bool], count: int) -> Iterator[Query]:
    """Boxes of the same sizes on photographs, none of which is in the catalogue."""
    rng = random.Random(2)
    photos = [number for number, is_fake in enumerate(fake) if not is_fake]
    for _ in range(count):
        picture = pictures[rng.choice(photos)]
        width, height = int(picture.width * rng.uniform(0.3, 0.5)), int(picture.height * rng.uniform(0.3, 0.5))
        left, top = rng.randrange(picture.width - width), rng.randrange(picture.height - height)
        yield Query(_as_jpeg(picture), (left, top, left + width, top + height), -1)


def _as_jpeg(picture: Image.Image) -> Image.Image:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=85)
    return Image.open(written).convert("RGB")


def _cuts(folder: Path, count: int) -> Iterator[Image.Image]:
    """Overlapping cuts of photographs that are not among the queries: distractors."""
    rng = random.Random(3)
    box = photographs.find(folder)
    for number in range(count):
        with Image.open(box[number % len(box)].path) as opened:
            opened.draft("RGB", (1_280, 1_280))
            picture = opened.convert("RGB")
        side = min(rng.randint(*CUT_SIDES), *picture.size)
        left, top = rng.randint(0, picture.width - side), rng.randint(0, picture.height - side)
        yield picture.crop((left, top, left + side, top + side))


class _Shelf:
    """Packed features by number, in the product's index."""

    def __init__(self, known: Sequence[tuple[int, bytes]]) -> None:
        self._known = {number: unpack(data) for number, data in known}
        self._store = FeatureStore(FeatureFolder(Path("unused"), FEATURES_FINGERPRINT), None, threads=1)
        self._store.add(np.array([*self._known], np.int64), [data for _, data in known], len(known))

    def find(self, query: Query) -> list[RegionHit]:
        """As a search by region does it."""
        features = region_features(query.picture, query.box)
        near = self._store.search(features, CANDIDATES)
        candidates: list[tuple[int, LocalFeatures]] = [(number, self._known[number]) for number, _ in near]
        return find_region(candidates, features, query.box)


def _ours(known: Sequence[tuple[int, bytes]], queries: Sequence[Query]) -> Row:
    shelf = _Shelf(known)
    places, started = [], time.perf_counter()
    for query in queries:
        ids = [hit.image_id for hit in shelf.find(query)]
        places.append(ids.index(query.source) if query.source in ids else -1)
    took = 1_000 * (time.perf_counter() - started) / len(queries)
    stored = sum(len(data) for _, data in known) // len(known)
    first, recall = wilson(places.count(0), len(places)), wilson(len(places) - places.count(-1), len(places))
    return Row("local features", len(known), first, recall, round(took, 1), stored)


def _peer(pictures: Sequence[Image.Image], numbers: Sequence[int], queries: Sequence[Query]) -> Row:
    """Cosine of the patches pooled over the box with those pooled over each window; a picture counts by its best."""
    detector = load_detector(Settings())
    windows = np.stack([_windows(grid) for grid in _grids(detector, pictures)])
    grids = list(_grids(detector, [query.picture for query in queries]))
    places, started = [], time.perf_counter()
    for query, grid in zip(queries, grids, strict=True):
        pooled = _pooled(grid, query, detector.spec)
        scores = (windows @ (pooled / np.linalg.norm(pooled))).max(axis=1)
        own = scores[numbers.index(query.source)]
        places.append(int(np.count_nonzero(scores > own)))
    took = 1_000 * (time.perf_counter() - started) / len(queries)
    first = wilson(places.count(0), len(places))
    recall = wilson(sum(rank < 50 for rank in places), len(places))
    cells = (GRID // CELL) ** 2
    return Row("pooled patch embeddings (among 50)", len(pictures), first, recall, round(took, 1), cells * 384 * 2)


def _grids(detector: "Detector", pictures: Sequence[Image.Image]) -> Iterator[npt.NDArray[np.float32]]:
    for start in range(0, len(pictures), BATCH):
        output = detector.detect(pictures[start : start + BATCH], patches=True)
        assert output.patches is not None
        yield from output.patches.reshape(-1, GRID, GRID, 384)


def _windows(grid: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The unit means over all windows of 1 to 6 cells a side whose sides differ by no more than twice: [W, 384]."""
    cells = grid.reshape(GRID // CELL, CELL, GRID // CELL, CELL, -1).mean(axis=(1, 3))
    sums = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1, cells.shape[2]), np.float32)
    sums[1:, 1:] = cells.cumsum(0).cumsum(1)
    means = [
        ((sums[h:, w:] - sums[:-h, w:] - sums[h:, :-w] + sums[:-h, :-w]) / (h * w)).reshape(-1, cells.shape[2])
        for h in WINDOWS
        for w in WINDOWS
        if 0.5 <= h / w <= 2
    ]
    joined = np.concatenate(means)
    unit: npt.NDArray[np.float32] = joined / np.linalg.norm(joined, axis=1, keepdims=True)
    return unit


def _pooled(grid: npt.NDArray[np.float32], query: Query, spec: "DetectorSpec") -> npt.NDArray[np.float32]:
    """The mean of the patches, each weighted by how much of it lies in the box."""
    left, top, right, bottom = seen_box(query.picture.size, spec.preprocessing)

    def weights(low: float, high: float, start: float, end: float) -> npt.NDArray[np.float64]:
        edges = (np.array([low, high]) - start) / (end - start) * GRID
        patches = np.arange(GRID)
        return np.clip(np.minimum(patches + 1, edges[1]) - np.maximum(patches, edges[0]), 0, 1)

    across, down = weights(query.box[0], query.box[2], left, right), weights(query.box[1], query.box[3], top, bottom)
    both = np.outer(down, across)
    if both.sum() == 0:  # cropped away before the model saw it
        both[:] = 1
    pooled: npt.NDArray[np.float32] = np.einsum("yx,yxd->d", both / both.sum(), grid).astype(np.float32)
    return pooled


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regions", description=__doc__)
    parser.add_argument("manifest", type=Path, help="manifest with machine-made pictures and photographs")
    parser.add_argument("--photographs", type=Path, help="folder of `python -m indexer.detector.training fetch`")
    parser.add_argument("--distractors", type=int, default=10_000, help="pictures to search among, with --photographs")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--every", type=int, default=1, help="take each picture, or each second one, or …")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    given = parser.parse_args()
    return conclude(
        "regions",
        lambda: measure(given.manifest, given.photographs, given.distractors, given.queries, given.every),
        given.json,
    )


if __name__ == "__main__":
    sys.exit(main())
