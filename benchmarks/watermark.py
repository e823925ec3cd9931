"""How often is Stable Diffusion's watermark found, and how often where there is none? `python -m benchmarks.watermark`

The pictures given must be without it (photographs); of a manifest those labelled fake are left out. Each is looked at
as it is and after what a re-share does; then with each message put in, as it is and after the same.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.made_up.watermarks import watermarked
from benchmarks.reporting.report import Check, Interval, Report, conclude, wilson
from indexer.cli.output import progress
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.provenance.watermark import LEAST_PIXELS, MAX_FALSE, MESSAGES, MOST_PIXELS, least_matching, read_watermark
from indexer.settings import Settings
from indexer.sources import SourceItem, open_source
from indexer.vocabulary import LabelValue

UNMARKED = "none"


@dataclass(frozen=True, slots=True)
class Row:
    """What was put in, what was done then, how often a watermark was found, and how often the right one."""

    watermark: str
    change: str
    found: Interval
    right: Interval | None


def _jpeg(picture: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def _scaled(picture: Image.Image, scale: float) -> Image.Image:
    size = round(picture.width * scale), round(picture.height * scale)
    return picture.resize(size, Image.Resampling.LANCZOS)


CHANGES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda picture: picture,
    "jpeg95": lambda picture: _jpeg(picture, 95),
    "jpeg80": lambda picture: _jpeg(picture, 80),
    "scaled to 0.9": lambda picture: _scaled(picture, 0.9),
    "scaled to 2": lambda picture: _scaled(picture, 2.0),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watermark", description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="manifest, folder or archive of photographs")
    parser.add_argument("--marked", type=int, default=40, help="how many of them are watermarked, too")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)

    def run() -> Report:
        return measure(options.pictures, ImageLimits.from_settings(Settings.load()), options.marked)

    return conclude("watermark", run, options.json)


def measure(source: Path, limits: ImageLimits, marked: int) -> Report:
    """Looks at all pictures that are large enough, and at the first `marked` of them with each message put in.

    Raises:
        DejafakeError: the source cannot be read, or holds no picture large enough.
    """
    pictures = _pictures(source, limits)
    if not pictures:
        raise DejafakeError(f"{source} holds no picture of {LEAST_PIXELS:,} to {MOST_PIXELS:,} pixels")
    rows: list[Row] = []
    started = time.process_time()
    with progress("look", len(CHANGES) * (len(pictures) + 2 * len(MESSAGES) * min(marked, len(pictures)))) as advance:

        def looked(picture: Image.Image) -> str | None:
            advance(1)
            return next((reading.made_with for reading in read_watermark(picture)), None)

        for change, apply in CHANGES.items():
            hits = [looked(apply(picture)) for picture in pictures]
            rows.append(Row(UNMARKED, change, wilson(len(hits) - hits.count(None), len(hits)), None))
        looks, spent = len(CHANGES) * len(pictures), time.process_time() - started
        for name, message in MESSAGES.items():
            for exact in (False, True):
                images = [watermarked(picture, message, exact=exact) for picture in pictures[:marked]]
                for change, apply in CHANGES.items():
                    hits = [looked(apply(picture)) for picture in images]
                    detected, right = len(hits) - hits.count(None), hits.count(name)
                    put_in = f"{name}, {'exact' if exact else 'rounded'} colours"
                    rows.append(Row(put_in, change, wilson(detected, len(hits)), wilson(right, len(hits))))
    return Report(
        question="How often is Stable Diffusion's watermark found, and how often where there is none?",
        parameters={
            "pictures": len(pictures),
            "marked": min(marked, len(pictures)),
            "least_matching_bits": {name: least_matching(len(bits)) for name, bits in MESSAGES.items()},
            "nominal_false_positive_rate": MAX_FALSE,
        },
        rows=tuple(rows),
        checks=_checks(rows),
        figures={"cpu_milliseconds_per_unmarked_picture_with_its_change": 1_000 * spent / looks},
    )


def _pictures(source: Path, limits: ImageLimits) -> list[Image.Image]:
    pictures: list[Image.Image] = []
    for item in open_source(source, limits):
        try:
            if not isinstance(item, SourceItem) or item.value is LabelValue.FAKE:
                continue
            rgb = decode(item.read(), limits).rgb
        except ImageRejectedError:
            continue
        if LEAST_PIXELS <= rgb.width * rgb.height <= MOST_PIXELS:
            pictures.append(rgb)
    return pictures


def _checks(rows: Sequence[Row]) -> tuple[Check, ...]:
    pictures = next(row.found for row in rows if row.watermark == UNMARKED)
    looks = [row.found.share for row in rows if row.watermark == UNMARKED]
    wrong = sum(round((row.found.share - row.right.share) * row.found.n) for row in rows if row.right is not None)
    return (
        Check("found without one, the worst change", max(looks), "0", max(looks) == 0),
        Check("the rate as they are, with its 95 % interval", str(pictures), "told, not aimed at", True),
        Check("found, but not the one put in", float(wrong), "0", wrong == 0),
    )


if __name__ == "__main__":
    sys.exit(main())
