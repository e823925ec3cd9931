"""How good is the bundled detector? `python -m benchmarks.detector_card MANIFEST --photographs FOLDER`

The figures of the detector's card: MANIFEST lists machine-made pictures by group and generator, and photographs that
were never trained on; FOLDER holds the Debian packages (`python -m indexer.detector.training fetch`). Every picture
goes through one chain first (central square, 256 pixels, JPEG of quality 80 to 90), and classes are matched on bytes
per pixel, so that size, format and compression cannot tell them apart. Peers on the same bytes: those metadata alone,
and a colour histogram.
"""

import argparse
import hashlib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.optimize import linear_sum_assignment

from benchmarks.reporting.report import Check, Interval, Report, conclude, wilson
from indexer.arrays import Floats
from indexer.cli.output import progress
from indexer.detector import Detector, load_detector
from indexer.detector.training.config import BUNDLED, read_config
from indexer.detector.training.material import Picture, read_manifest, read_pixels, split_photographs, tiles
from indexer.detector.training.photographs import Photograph, find
from indexer.estimates import Estimate
from indexer.evaluation.classifiers import confound_auc, histogram_auc
from indexer.evaluation.metrics import roc_auc
from indexer.evaluation.table import colour_histogram
from indexer.imaging.alterations import apply
from indexer.settings import Settings

ALTERATIONS = ("crop10", "jpeg50", "caption_bar", "screenshot_border", "mirror")
SIDE = 256
"""Side of the equalised pictures, in pixels: the smallest size a generator of the manifest makes."""
FACES = "stylegan2"
_CUTS = 6
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Row:
    """Fakes against photographs. `auc_*` with 95 % bootstrap intervals; `matched`: as many of each class as could be
    paired on bytes per pixel; `metadata`: what width, height, bytes per pixel and JPEG quality alone reach there."""

    fakes: str
    photographs: str
    n_fakes: int
    n_photographs: int
    auc: str
    n_matched: int
    auc_matched: str
    metadata_matched: str
    histogram_matched: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """Equalised pictures and what is known of them. `unit` independent pictures share a name in `unit`."""

    names: tuple[str, ...]
    units: tuple[str, ...]
    data: tuple[bytes, ...]
    qualities: npt.NDArray[np.int64]
    logits: Floats
    embeddings: Floats

    @property
    def density(self) -> npt.NDArray[np.float64]:
        """Bytes per pixel."""
        return np.array([len(encoded) for encoded in self.data]) / SIDE**2


def equalised(rgb: Image.Image, key: str) -> tuple[bytes, int]:
    """The picture's central square at 256 pixels as JPEG, and the quality, drawn from 80 to 90 by `key`."""
    side = min(rgb.size)
    left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
    quality = 80 + int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 11
    buffer = io.BytesIO()
    square = rgb.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    square.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue(), quality


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs from the command line; 0 when every aim is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--detector", default="dejafake-small", help="a name of the registry, or a folder")
    parser.add_argument("--distractors", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    return conclude("detector_card", lambda: measure(options), options.json)


def measure(options: argparse.Namespace) -> Report:
    """All figures of the card."""
    config = read_config(BUNDLED)
    photographs = find(options.photographs)
    detector = load_detector(Settings.load(detector=options.detector, batch_size=16))

    def see(named: Sequence[tuple[str, str, Image.Image]], what: str) -> _Seen:
        prepared = [equalised(rgb, name) for name, _, rgb in named]
        logits, embeddings = _run(detector, [data for data, _ in prepared], what)
        return _Seen(
            tuple(name for name, _, _ in named),
            tuple(unit for _, unit, _ in named),
            tuple(data for data, _ in prepared),
            np.array([quality for _, quality in prepared]),
            logits,
            embeddings,
        )

    pictures = read_manifest(options.manifest, config)
    corpus = see([(p.sha256, p.group, Image.fromarray(read_pixels(p.path))) for p in pictures], "corpus")
    _, kept = split_photographs(photographs, config)
    random = np.random.default_rng(config.seed)
    cut = [
        (f"{photograph.name}#{number}", photograph.name, Image.fromarray(tile))
        for photograph in kept
        for number, tile in enumerate(tiles(read_pixels(photograph.path), _CUTS, random))
    ]
    debian = see(cut, "Debian photographs")
    sides = np.array([picture.side for picture in pictures])
    faces = np.array([picture.generator == FACES for picture in pictures])
    real = sides == "evaluation_only"
    fakes = {
        "known generators, prompts held out": (sides == "held_out") & ~faces,
        "two unseen generators": sides == "unseen_generator",
        "StyleGAN2 faces held out": (sides == "held_out") & faces,
    }
    rows = [
        _row(name, against, _part(corpus, np.flatnonzero(chosen)), of)
        for name, chosen in fakes.items()
        for against, of in (
            ("FFHQ faces", _part(corpus, np.flatnonzero(real))),
            ("Debian photographs held out", debian),
        )
        if not (name.startswith("StyleGAN2") and of is debian)
    ]
    bound = detector.spec.same_origin_min_cosine
    known = corpus.embeddings[~real]
    to_faces, to_debian = (_nearest(seen, known) for seen in (corpus.embeddings[real], debian.embeddings))
    strangers = {
        "FFHQ_photographs_near_a_known_fake_share": float((to_faces >= bound).mean()),
        "Debian_photographs_near_a_known_fake_share": float((to_debian >= bound).mean()),
        "cosine_that_1_percent_of_Debian_photographs_reach": float(np.quantile(to_debian, 0.99)),
    }
    held_out, everything = _attribution(pictures, corpus, sides), _attribution(pictures, corpus, None)
    copies, near = _copies(options, pictures, photographs, config.seed, detector)
    return Report(
        question="How good is the bundled detector?",
        parameters={"detector": detector.fingerprint, "side": SIDE, "distractors": options.distractors},
        rows=tuple(row for row, _ in rows),
        figures={"same_origin_min_cosine": bound, **strangers, **near},
        checks=(
            _check("AUC, known generators against FFHQ", rows[0][1], 0.90),
            _check("AUC, two unseen generators against FFHQ", rows[2][1], 0.75),
            _check("AUC, StyleGAN2 against FFHQ (balanced)", rows[4][1], 0.75),
            *(_below(f"metadata alone, {row.fakes} against {row.photographs}", row) for row, _ in rows),
            Check("generator by 5 neighbours, held-out prompts", str(held_out), ">= 55%", held_out.share >= 0.55),
            Check("generator by 5 neighbours, all pictures", str(everything), ">= 55%", everything.share >= 0.55),
            *(
                Check(f"copy first among {options.distractors:,}: {name}", str(share), ">= 95%", share.share >= 0.95)
                for name, share in copies.items()
            ),
        ),
    )


def _run(detector: Detector, data: Sequence[bytes], what: str) -> tuple[Floats, Floats]:
    logits, embeddings = [], []
    with progress(what, len(data)) as advance:
        for start in range(0, len(data), _CHUNK):
            output = detector.detect(data[start : start + _CHUNK])
            logits.append(output.logits[:, 0])
            embeddings.append(output.embeddings)
            advance(len(output.logits))
    return np.concatenate(logits), np.concatenate(embeddings)


def _part(seen: _Seen, index: npt.NDArray[np.int64]) -> _Seen:
    return _Seen(
        tuple(seen.names[i] for i in index),
        tuple(seen.units[i] for i in index),
        tuple(seen.data[i] for i in index),
        seen.qualities[index],
        seen.logits[index],
        seen.embeddings[index],
    )


def _row(name: str, photographs: str, fakes: _Seen, real: _Seen) -> tuple[Row, Estimate]:
    left, right = _matched(fakes.density, real.density)
    paired_fakes, paired_real = _part(fakes, left), _part(real, right)
    matched = _auc(paired_fakes, paired_real)
    fake = np.array([True] * len(left) + [False] * len(right))
    units = paired_fakes.units + paired_real.units

    metadata, colours = (
        np.concatenate([features(paired_fakes), features(paired_real)]) for features in (_metadata, _histograms)
    )

    row = Row(
        fakes=name,
        photographs=photographs,
        n_fakes=len(fakes.names),
        n_photographs=len(real.names),
        auc=str(_auc(fakes, real)),
        n_matched=len(left),
        auc_matched=str(matched),
        metadata_matched=f"{confound_auc(metadata, fake, groups=units).value:.2f}",
        histogram_matched=f"{histogram_auc(colours, fake, groups=units).value:.2f}",
    )
    return row, matched


def _matched(
    a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of the closest bytes per pixel, at most 5 % apart: an assignment of least total distance (Kuhn 1955)."""
    apart = np.abs(np.log(a)[:, None] - np.log(b)[None, :])
    rows, columns = linear_sum_assignment(np.where(apart <= 0.05, apart, 10.0))
    near = apart[rows, columns] <= 0.05
    return rows[near], columns[near]


def _metadata(seen: _Seen) -> npt.NDArray[np.float64]:
    sides = np.full(len(seen.names), SIDE)
    return np.stack([sides, sides, seen.density, seen.qualities], axis=1).astype(np.float64)


def _histograms(seen: _Seen) -> npt.NDArray[np.float64]:
    return np.array([colour_histogram(Image.open(io.BytesIO(data)).convert("RGB")) for data in seen.data], np.float64)


def _auc(fakes: _Seen, real: _Seen) -> Estimate:
    fake = np.array([True] * len(fakes.names) + [False] * len(real.names))
    return roc_auc(fake, np.concatenate([fakes.logits, real.logits]), groups=fakes.units + real.units)


def _attribution(pictures: Sequence[Picture], seen: _Seen, sides: npt.NDArray[np.str_] | None) -> Interval:
    """How often five neighbours of other groups name the generator, the closest deciding a tie; faces, which are of one
    group, are left out. With `sides`, only pictures that were not trained on are asked for."""
    usable = np.array([picture.fake and picture.generator != FACES for picture in pictures])
    generators = np.array([picture.generator for picture in pictures])
    groups = np.array([picture.group for picture in pictures])
    cosines = seen.embeddings @ seen.embeddings.T
    asked = np.flatnonzero(usable if sides is None else usable & (sides != "train"))
    right = 0
    for query in asked:
        others = np.flatnonzero(usable & (groups != groups[query]))
        nearest = others[np.argsort(-cosines[query, others])[:5]]
        names = generators[nearest]
        votes = {name: (int((names == name).sum()), -int(np.argmax(names == name))) for name in names}
        right += max(votes, key=lambda name: votes[name]) == generators[query]
    return wilson(right, len(asked))


def _copies(
    options: argparse.Namespace,
    pictures: Sequence[Picture],
    photographs: Sequence[Photograph],
    seed: int,
    detector: Detector,
) -> tuple[dict[str, Interval], dict[str, float]]:
    """How often an altered copy of a picture that was not trained on finds it first, and how often its cosine to it
    counts as the same origin."""
    random = np.random.default_rng(seed + 1)
    unseen = [index for index, picture in enumerate(pictures) if picture.side != "train"]
    asked = sorted(int(i) for i in random.choice(unseen, size=min(options.queries, len(unseen)), replace=False))
    _, known = _run(detector, [picture.path.read_bytes() for picture in pictures], "known pictures")
    needed = max(0, options.distractors - len(pictures) + 1)
    each = -(-needed // len(photographs))
    distractors = []
    for number, photograph in enumerate(photographs):
        count = min(each, needed - number * each)
        if count > 0:
            cut = [_jpeg(tile) for tile in tiles(read_pixels(photograph.path), count, random)]
            distractors.append(_run(detector, cut, f"distractors {number + 1} of {len(photographs)}")[1])
    shelf = np.concatenate([known, *distractors])
    records, near = {}, {}
    for name in ALTERATIONS:
        copies = [apply(name, Image.fromarray(read_pixels(pictures[i].path)), seed=i) for i in asked]
        cosines = _run(detector, copies, name)[1] @ shelf.T
        records[name] = wilson(int((cosines.argmax(axis=1) == np.array(asked)).sum()), len(asked))
        own = cosines[np.arange(len(asked)), asked]
        near[f"{name}_same_origin_share"] = float((own >= detector.spec.same_origin_min_cosine).mean())
    return records, near


def _nearest(pictures: Floats, known: Floats) -> Floats:
    """The largest cosine [N] of each picture to any known one."""
    largest: Floats = (pictures @ known.T).max(axis=1)
    return largest


def _jpeg(tile: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(tile).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _check(name: str, estimate: Estimate, aim: float) -> Check:
    return Check(f"{name}, matched", str(estimate), f">= {aim:.2f}", estimate.value >= aim)


def _below(name: str, row: Row) -> Check:
    return Check(name, row.metadata_matched, "< 0.60", float(row.metadata_matched) < 0.60)


if __name__ == "__main__":
    sys.exit(main())
