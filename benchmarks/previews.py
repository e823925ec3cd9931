"""From which PDQ distance on does an embedded preview show another picture? `python -m benchmarks.previews SOURCE`

Previews are made as cameras make them (small, with bars to 4:3, sharpened, of another JPEG quality) of the pictures
themselves, and of what the pictures were before an edit or a crop. The threshold in use is judged by both.
"""

import argparse
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from benchmarks.made_up.edits import EDITS, edit
from benchmarks.reporting.report import Check, Interval, Report, conclude, wilson
from indexer.cli.output import progress
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.provenance.previews import DIFFERS_FROM, preview_distance
from indexer.settings import Settings
from indexer.sources import SourceItem, open_source

MOST_FALSE_ALARMS = 0.01
OTHER = "another picture"


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of pair: how many had too little structure for PDQ, the distances' 5, 50 and 95 % points, and the shares
    at or above each threshold; `differs` is what the right answer is."""

    preview: str
    differs: bool
    pairs: int
    not_comparable: int
    distances: str
    from_32: Interval
    from_48: Interval
    from_64: Interval
    from_80: Interval


def _small(picture: Image.Image, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    """The picture as large as it fits into `size`, amid black bars."""
    scale = min(size[0] / picture.width, size[1] / picture.height)
    fitted = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), resampling)
    image = Image.new("RGB", size)
    image.paste(fitted, ((size[0] - fitted.width) // 2, (size[1] - fitted.height) // 2))
    return image


def _saved(preview: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    preview.save(buffer, "JPEG", quality=quality)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def _plain(picture: Image.Image) -> Image.Image:
    return _saved(_small(picture, (160, 120), Image.Resampling.BICUBIC), 75)


def _sharpened(picture: Image.Image) -> Image.Image:
    small = _small(picture, (160, 120), Image.Resampling.LANCZOS)
    return _saved(small.filter(ImageFilter.UnsharpMask(1, 150, 0)), 85)


def _coarse(picture: Image.Image) -> Image.Image:
    return _saved(_small(picture, (160, 120), Image.Resampling.NEAREST), 50)


def _toned(picture: Image.Image) -> Image.Image:
    """A rendering of its own: brighter, with more contrast."""
    brighter = ImageEnhance.Brightness(picture).enhance(1.15)
    return _plain(ImageEnhance.Contrast(brighter).enhance(1.2))


SAME: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "160 x 120, quality 75": _plain,
    "sharpened, quality 85": _sharpened,
    "nearest pixels, quality 50": _coarse,
    "brighter, more contrast": _toned,
}


def _cropped(picture: Image.Image, share: float) -> Image.Image:
    """Without `share` of its width and height, from the upper left."""
    return picture.crop((round(picture.width * share), round(picture.height * share), picture.width, picture.height))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 when every check holds, 1 when one does not, 2 when it could not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.previews", description=__doc__)
    parser.add_argument("source", type=Path, help="manifest, folder or archive of pictures")
    parser.add_argument("--pictures", type=int, default=100, help="how many of its pictures to use")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    options = parser.parse_args(arguments)

    def run() -> Report:
        return measure(options.source, ImageLimits.from_settings(Settings.load()), options.pictures)

    return conclude("previews", run, options.json)


def measure(source: Path, limits: ImageLimits, pictures: int) -> Report:
    """Makes previews and measures their distances.

    Raises:
        DejafakeError: the source cannot be read, or holds fewer than two pictures.
    """
    chosen = _pictures(source, limits, pictures)
    if len(chosen) < 2:
        raise DejafakeError(f"{source} holds fewer than two pictures")
    by_preview: dict[tuple[str, bool], list[int | None]] = {}
    with progress("compare", len(chosen)) as advance:
        for number, picture in enumerate(chosen):
            for name, differs, distance in _distances(picture, chosen[number - 1], str(number)):
                by_preview.setdefault((name, differs), []).append(distance)
            advance(1)
    rows = tuple(_row(name, differs, distances) for (name, differs), distances in by_preview.items())
    return Report(
        question="From which PDQ distance on does an embedded preview show another picture?",
        parameters={"pictures": len(chosen), "threshold": DIFFERS_FROM},
        rows=rows,
        checks=_checks(rows),
    )


def _pictures(source: Path, limits: ImageLimits, most: int) -> list[Image.Image]:
    pictures: list[Image.Image] = []
    for item in open_source(source, limits):
        if len(pictures) == most:
            break
        try:
            if isinstance(item, SourceItem):
                pictures.append(decode(item.read(), limits).rgb)
        except ImageRejectedError:
            continue
    return pictures


def _distances(picture: Image.Image, other: Image.Image, seed: str) -> Iterator[tuple[str, bool, int | None]]:
    for name, make in SAME.items():
        yield name, False, preview_distance(make(picture), picture)
    before = _plain(picture)
    for name in EDITS:
        edited = edit(name, picture, other, seed)
        if edited is not None:
            yield f"before {name}", True, preview_distance(before, edited.copy)
    for share in (0.05, 0.1, 0.2, 0.4):
        yield f"before {share:.0%} of each side went", True, preview_distance(before, _cropped(picture, share))
    yield OTHER, True, preview_distance(_plain(other), picture)


def _row(name: str, differs: bool, distances: Sequence[int | None]) -> Row:
    known = np.array([distance for distance in distances if distance is not None], np.int64)
    points = np.percentile(known, (5, 50, 95)) if len(known) else ()
    at = {least: wilson(int((known >= least).sum()), len(known)) for least in (32, 48, 64, 80)}
    return Row(
        preview=name,
        differs=differs,
        pairs=len(distances),
        not_comparable=len(distances) - len(known),
        distances=" / ".join(f"{point:.0f}" for point in points),
        from_32=at[32],
        from_48=at[48],
        from_64=at[64],
        from_80=at[80],
    )


def _checks(rows: Sequence[Row]) -> tuple[Check, ...]:
    same = [row.from_64 for row in rows if not row.differs]
    n = sum(row.n for row in same)
    alarms = wilson(sum(round(row.share * row.n) for row in same), n)
    other = next(row.from_64 for row in rows if row.preview == OTHER)
    return (
        Check(
            f"false alarms, {n} previews of the picture itself",
            str(alarms),
            f"at most {MOST_FALSE_ALARMS:.0%}",
            alarms.share <= MOST_FALSE_ALARMS,
        ),
        Check("previews of another picture noticed", other.share, "at least 0.99", other.share >= 0.99),
    )


if __name__ == "__main__":
    sys.exit(main())
