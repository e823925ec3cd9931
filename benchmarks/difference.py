"""Does `dejafake compare` show what was edited, and nothing else? `python -m benchmarks.difference SOURCE`

Pictures are edited in code and compared with their originals; re-shares of the same pictures must show nothing. On the
same pictures, laid over each other in the same way, stand two peers: the plain absolute difference and SSIM.
"""

import argparse
import io
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.metrics import structural_similarity

from benchmarks.made_up.edits import EDITS, VISIBLE, EditedCopy, Mask, edit
from benchmarks.reporting.report import Check, Interval, Report, conclude, peak_memory_mib, wilson
from indexer.cli.output import progress
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.examine.difference.difference import WORKING_SIDE, Difference, Overlay, find_difference
from indexer.examine.difference.regions import SURE, differing
from indexer.imaging.alterations import ALTERATIONS, apply
from indexer.imaging.decoding import decode, sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.sources import SourceItem, open_source

SKIPPED = 6
"""How many pictures, the first by SHA-256, are left out: thresholds were chosen on as many of another collection."""
LEAST_IOU = 0.5
MOST_FALSE_ALARMS = 0.05
ABSOLUTE = 32.0
"""Levels of 255 from which on the peer by absolute differences sees one."""
DISSIMILAR = 0.5
"""1 - SSIM from which on the peer by SSIM sees a difference."""


@dataclass(frozen=True, slots=True)
class Row:
    """One edit or re-share. `registered`: how often the two could be laid over each other.

    Of edits, `found` is the share whose region was touched by the mask, and `iou` the median intersection over union
    of mask and region, `quartiles` around it, with the medians of the peers; what was not registered counts as 0. Of
    re-shares, `false_alarms` is the share of registered pairs in which any region was shown, with those of the peers.
    """

    change: str
    registered: Interval
    found: Interval | None
    iou: float | None
    quartiles: str | None
    absolute_iou: float | None
    ssim_iou: float | None
    false_alarms: Interval | None
    absolute_false_alarms: float | None
    ssim_false_alarms: float | None


@dataclass(frozen=True, slots=True)
class _Trial:
    """One comparison: the IoU of dejafake, the absolute difference and SSIM for an edit, or whether each showed
    anything (1 or 0) for a re-share; None when the pictures were not registered."""

    change: str
    touched: bool
    values: tuple[float, float, float] | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.difference", description=__doc__)
    parser.add_argument("source", type=Path, help="manifest, folder or archive of pictures")
    parser.add_argument("--pictures", type=int, default=60, help="how many of its pictures to use")
    parser.add_argument("--skip", type=int, default=SKIPPED, help="leave out this many, the first by SHA-256")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)

    def run() -> Report:
        limits = ImageLimits.from_settings(Settings.load())
        return measure(options.source, limits, options.pictures, options.skip)

    return conclude("difference", run, options.json)


def measure(source: Path, limits: ImageLimits, pictures: int, skip: int = SKIPPED) -> Report:
    """Edits, re-shares and compares.

    Args:
        source: anything `dejafake ingest` takes.
        limits: on its files.
        pictures: how many are used, by the order of their SHA-256.
        skip: how many are left out before.

    Raises:
        DejafakeError: the source cannot be read, or holds fewer than two pictures more than are skipped.
    """
    chosen = _chosen(source, limits, pictures, skip)
    if len(chosen) < 2:
        raise DejafakeError(f"{source} holds fewer than two pictures after the first {skip}: a splice needs two")
    trials: list[_Trial] = []
    started = time.process_time()
    with progress("compare", len(chosen)) as advance:
        for number, (sha256, data) in enumerate(chosen):
            other = decode(chosen[number - 1][1], limits).rgb
            trials.extend(_tried(decode(data, limits).rgb, other, sha256))
            advance(1)
    rows = tuple(
        _row(change, [trial for trial in trials if trial.change == change]) for change in (*EDITS, *ALTERATIONS)
    )
    return Report(
        question="Does a comparison show what was edited, and nothing in a re-share?",
        parameters={
            "pictures": len(chosen),
            "skipped": skip,
            "working_side": WORKING_SIDE,
            "visible_levels": VISIBLE,
            "absolute_levels": ABSOLUTE,
            "dissimilarity": DISSIMILAR,
        },
        rows=rows,
        checks=_checks(rows, trials),
        figures={
            "cpu_seconds_per_comparison_with_peers": (time.process_time() - started) / max(1, len(trials)),
            "peak_memory_mib": peak_memory_mib(),
        },
    )


def _chosen(source: Path, limits: ImageLimits, pictures: int, skip: int) -> list[tuple[str, bytes]]:
    chosen: dict[str, bytes] = {}
    names: list[tuple[str, SourceItem]] = []
    for item in open_source(source, limits):
        if not isinstance(item, SourceItem):
            continue
        try:
            sha256 = item.expected_sha256 or sha256_hex(item.read())
        except ImageRejectedError:
            continue
        names.append((sha256, item))
    for sha256, item in sorted(names, key=lambda named: named[0])[skip:]:
        if len(chosen) == pictures:
            break
        try:
            data = item.read()
            decode(data, limits)
        except ImageRejectedError:
            continue
        chosen[sha256] = data
    return list(chosen.items())


def _tried(picture: Image.Image, other: Image.Image, sha256: str) -> Iterator[_Trial]:
    """All edits and re-shares of one picture."""
    for name in EDITS:
        edited = edit(name, picture, other, sha256)
        if edited is not None:
            yield _edit_trial(name, find_difference(picture, edited.copy), edited)
    for name in ALTERATIONS:
        copy = Image.open(io.BytesIO(apply(name, picture))).convert("RGB")
        yield _re_share_trial(name, find_difference(picture, copy))


def _edit_trial(name: str, difference: Difference, edited: EditedCopy) -> _Trial:
    overlay = difference.overlay
    if overlay is None:
        return _Trial(name, False, None)
    size = overlay.shared.shape[1], overlay.shared.shape[0]
    region = np.asarray(cv2.resize(edited.region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)
    truth = region & overlay.shared
    masks = (overlay.mask, *_peers(overlay))
    ours, two, three = (_iou(mask, truth) for mask in masks)
    return _Trial(name, bool((overlay.mask & truth).any()), (ours, two, three))


def _re_share_trial(name: str, difference: Difference) -> _Trial:
    overlay = difference.overlay
    if overlay is None:
        return _Trial(name, False, None)
    ours, two, three = (float(mask.any()) for mask in (overlay.mask, *_peers(overlay)))
    return _Trial(name, bool(ours), (ours, two, three))


def _peers(overlay: Overlay) -> tuple[Mask, Mask]:
    """The masks of the absolute difference and of SSIM, cleaned up as dejafake's own is."""
    a, b = overlay.a.astype(np.float32), overlay.b.astype(np.float32)
    absolute = np.abs(a - b).max(axis=2)
    _, similarity = structural_similarity(_grey(a), _grey(b), data_range=255, full=True)
    return _cleaned(absolute / ABSOLUTE, overlay.shared), _cleaned((1 - similarity) / DISSIMILAR, overlay.shared)


def _cleaned(strength: npt.NDArray[np.floating], shared: Mask) -> Mask:
    """`strength` 1 and more is a difference; specks go and holes close as in `differing`, without its hysteresis."""
    seen = np.where((strength >= 1) & shared, np.float32(SURE), np.float32(0))
    return differing(seen, shared)[0]


def _grey(rgb: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(rgb @ np.array([0.299, 0.587, 0.114], np.float32))


def _iou(mask: Mask, truth: Mask) -> float:
    return float(np.count_nonzero(mask & truth) / max(1, np.count_nonzero(mask | truth)))


def _row(change: str, trials: Sequence[_Trial]) -> Row:
    seen = [trial.values for trial in trials if trial.values is not None]
    registered = wilson(len(seen), len(trials))
    if change not in EDITS:
        alarms = wilson(sum(int(values[0]) for values in seen), len(seen))
        peers = np.mean(seen, axis=0) if seen else np.zeros(3)
        return Row(change, registered, None, None, None, None, None, alarms, float(peers[1]), float(peers[2]))
    values = np.array([trial.values or (0.0, 0.0, 0.0) for trial in trials]).reshape(-1, 3)
    if not len(values):
        return Row(change, registered, wilson(0, 0), None, None, None, None, None, None, None)
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    return Row(
        change=change,
        registered=registered,
        found=wilson(sum(trial.touched for trial in trials), len(trials)),
        iou=float(middle[0]),
        quartiles=f"{low[0]:.2f} to {high[0]:.2f}",
        absolute_iou=float(middle[1]),
        ssim_iou=float(middle[2]),
        false_alarms=None,
        absolute_false_alarms=None,
        ssim_false_alarms=None,
    )


def _checks(rows: Sequence[Row], trials: Sequence[_Trial]) -> tuple[Check, ...]:
    edits = [row for row in rows if row.iou is not None]
    alarms = [trial.values[0] for trial in trials if trial.change not in EDITS and trial.values is not None]
    rate = wilson(int(sum(alarms)), len(alarms))
    ahead = min((min(row.iou - row.absolute_iou, row.iou - row.ssim_iou) for row in edits), default=0.0)
    return (
        *(Check(f"{row.change}: median IoU", row.iou, f"at least {LEAST_IOU}", row.iou >= LEAST_IOU) for row in edits),
        Check(
            f"false alarms, all {rate.n} re-shares",
            str(rate),
            f"at most {MOST_FALSE_ALARMS:.0%}",
            rate.share <= MOST_FALSE_ALARMS,
        ),
        Check("median IoU, less that of the better peer, worst edit", ahead, "not below 0", ahead >= 0),
    )


if __name__ == "__main__":
    sys.exit(main())
