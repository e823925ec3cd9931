"""How the scores change when pictures are compressed, scaled, cropped, blurred or made noisy."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from indexer.arrays import Floats
from indexer.estimates import Figure, figure
from indexer.evaluation import metrics
from indexer.evaluation.labelled import LabelledSet
from indexer.evaluation.options import EvaluationOptions
from indexer.evaluation.pictures import Pictures
from indexer.evaluation.sampling import sample
from indexer.vocabulary import Progress

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector

LONGEST = 1_600
"""Larger pictures are scaled down to this longest side first, also for the undegraded point."""


@dataclass(frozen=True, slots=True)
class Degradation:
    """One way to degrade pictures. `levels` from mild to strong; `apply` takes an RGB picture, a level and a seed."""

    name: str
    unit: str
    levels: tuple[float, ...]
    apply: Callable[[Image.Image, float, int], Image.Image]


@dataclass(frozen=True, slots=True)
class RobustnessPoint:
    """Figures at one level; `level` None: as the pictures are."""

    level: float | None
    roc_auc: Figure
    mean_p_fake_of_fakes: Figure
    mean_p_fake_of_authentic: Figure


@dataclass(frozen=True, slots=True)
class RobustnessCurve:
    """Points of one degradation, the undegraded one first, over the same `pictures` pictures."""

    degradation: str
    unit: str
    pictures: int
    points: tuple[RobustnessPoint, ...]


def jpeg(picture: Image.Image, quality: float, seed: int) -> Image.Image:
    """Saved as JPEG and read again."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=int(quality))
    with Image.open(buffer, formats=("JPEG",)) as again:
        return again.convert("RGB")


def resize(picture: Image.Image, scale: float, seed: int) -> Image.Image:
    """Scaled to this share of its sides."""
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS)


def crop(picture: Image.Image, percent: float, seed: int) -> Image.Image:
    """The centre, with this percentage of width and height cut away."""
    left, top = round(picture.width * percent / 200), round(picture.height * percent / 200)
    return picture.crop((left, top, picture.width - left, picture.height - top))


def blur(picture: Image.Image, sigma: float, seed: int) -> Image.Image:
    """Gaussian blur, sigma in pixels."""
    return picture.filter(ImageFilter.GaussianBlur(sigma))


def noise(picture: Image.Image, sigma: float, seed: int) -> Image.Image:
    """Gaussian noise on every channel, sigma in levels of 255."""
    pixels = np.asarray(picture, np.float32)
    added = np.random.default_rng(seed).standard_normal(pixels.shape, np.float32) * sigma
    return Image.fromarray(np.clip(np.rint(pixels + added), 0, 255).astype(np.uint8))


DEGRADATIONS: Mapping[str, Degradation] = MappingProxyType(
    {
        one.name: one
        for one in (
            Degradation("jpeg", "quality", (95, 85, 75, 60, 45, 30), jpeg),
            Degradation("resize", "share of the sides", (0.9, 0.75, 0.5, 0.35, 0.25), resize),
            Degradation("crop", "% of the sides cut away", (5, 10, 20, 30), crop),
            Degradation("blur", "sigma in pixels", (0.5, 1, 2, 4), blur),
            Degradation("noise", "sigma of 255 levels", (2, 5, 10, 20), noise),
        )
    }
)
"""All degradations by name."""


def robustness(
    labelled: LabelledSet, pictures: Pictures, detector: "Detector", options: EvaluationOptions, tell: Progress
) -> tuple[RobustnessCurve, ...]:
    """Curves over a sample of the pictures whose pixels are here; none when there are none, or none are asked for."""
    chosen = sample(labelled.fake, options.robustness, options.seed)
    conditions: list[tuple[str, float] | None] = [None]
    conditions += [(degradation.name, level) for degradation in DEGRADATIONS.values() for level in degradation.levels]
    used, scores = [], []
    for count, number in enumerate(chosen, 1):
        picture = pictures.picture(labelled.sha256[number])
        if picture is not None:
            picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
            seed = options.seed + int(labelled.sha256[number][:8], 16)
            output = detector.detect(_degraded(picture, condition, seed) for condition in conditions)
            used.append(number)
            scores.append(output.p_fake)
        tell("robustness", count, len(chosen))
    if not used:
        return ()
    kept, p_fake = labelled.subset(np.array(used)), np.stack(scores, axis=1)
    points = {condition: _point(kept, p_fake[row], condition, options) for row, condition in enumerate(conditions)}
    return tuple(
        RobustnessCurve(
            degradation.name,
            degradation.unit,
            len(used),
            (points[None], *(points[degradation.name, level] for level in degradation.levels)),
        )
        for degradation in DEGRADATIONS.values()
    )


def _degraded(picture: Image.Image, condition: tuple[str, float] | None, seed: int) -> Image.Image:
    if condition is None:
        return picture
    name, level = condition
    return DEGRADATIONS[name].apply(picture, level, seed)


def _point(
    kept: LabelledSet, p_fake: Floats, condition: tuple[str, float] | None, options: EvaluationOptions
) -> RobustnessPoint:
    fakes, others = kept.subset(kept.fake), kept.subset(~kept.fake)
    return RobustnessPoint(
        level=None if condition is None else condition[1],
        roc_auc=figure(lambda: metrics.roc_auc(kept.fake, p_fake, **options.resampling(kept.groups))),
        mean_p_fake_of_fakes=figure(lambda: metrics.mean(p_fake[kept.fake], **options.resampling(fakes.groups))),
        mean_p_fake_of_authentic=figure(lambda: metrics.mean(p_fake[~kept.fake], **options.resampling(others.groups))),
    )
