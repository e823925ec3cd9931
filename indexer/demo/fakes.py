"""Which photographs the demo fakes, how, and what is claimed of the fakes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from indexer.demo.fakery import Ellipse, Pixels, bulge, inpaint, paint, resynthesise, splice
from indexer.demo.photographs import PHOTOGRAPHS
from indexer.vocabulary import Technique

_DAHLIA = Ellipse(307, 219, 140, 138)
_ROCKET = Ellipse(327, 215, 34, 112)
_CAT_EYE = Ellipse(170, 118, 62, 48)
_SHUTTLE = Ellipse(428, 128, 46, 150)


@dataclass(frozen=True, slots=True)
class Fake:
    """One fake of the demo: made `of` these photographs by `make`, with the `claim` it is spread with."""

    name: str
    of: tuple[str, ...]
    technique: Technique
    generator: str
    claim: str
    make: Callable[..., Pixels]

    def picture(self) -> Image.Image:
        """The fake itself, RGB."""
        return Image.fromarray(self.make(*(np.asarray(PHOTOGRAPHS[name].rgb()) for name in self.of)))


def _splice(name: str, of: tuple[str, str], claim: str, make: Callable[[Pixels, Pixels], Pixels]) -> Fake:
    return Fake(name, of, Technique.SPLICE, "opencv seamlessClone", claim, make)


def _inpainting(name: str, of: str, claim: str, make: Callable[[Pixels], Pixels]) -> Fake:
    return Fake(name, (of,), Technique.INPAINTING, "opencv inpaint (Telea)", claim, make)


def _face(name: str, of: str, claim: str, make: Callable[[Pixels], Pixels]) -> Fake:
    return Fake(name, (of,), Technique.FACE_ATTRIBUTE_EDIT, "opencv remap (local warp)", claim, make)


def _resynthesis(name: str, of: str, claim: str, make: Callable[[Pixels], Pixels]) -> Fake:
    return Fake(name, (of,), Technique.IMAGE_TO_IMAGE, "patch PCA autoencoder", claim, make)


def _style(name: str, of: str, claim: str, style: str) -> Fake:
    return Fake(
        name, (of,), Technique.STYLE_TRANSFER, f"opencv {style}", claim, lambda photograph: paint(photograph, style)
    )


FAKES: tuple[Fake, ...] = (
    _splice(
        "dahlia-in-the-cup",
        ("coffee", "flower"),
        "A café serves coffee with a whole dahlia in it",
        lambda coffee, flower: splice(coffee, flower, _DAHLIA, (296, 118), 0.5),
    ),
    _splice(
        "rocket-over-the-pavilion",
        ("china", "rocket"),
        "A rocket stands beside the pavilion in Beijing",
        lambda china, rocket: splice(china, rocket, _ROCKET, (480, 150)),
    ),
    _splice(
        "eye-in-the-dahlia",
        ("flower", "chelsea"),
        "A flower has been bred that can see",
        lambda flower, cat: splice(flower, cat, _CAT_EYE, (307, 219), 1.3),
    ),
    _splice(
        "cat-in-the-visor",
        ("astronaut", "chelsea"),
        "A cat was reflected in the visor of a space helmet",
        lambda astronaut, cat: splice(astronaut, cat, Ellipse(245, 150, 190, 140), (388, 425), 0.5),
    ),
    _splice(
        "shuttle-at-the-pad",
        ("rocket", "astronaut"),
        "A space shuttle was rolled out beside the rocket",
        lambda rocket, astronaut: splice(rocket, astronaut, _SHUTTLE, (500, 230)),
    ),
    _inpainting(
        "coffee-without-spoon",
        "coffee",
        "The café saves on spoons",
        lambda coffee: inpaint(coffee, Ellipse(362, 285, 50, 52), Ellipse(412, 105, 16, 50)),
    ),
    _inpainting(
        "pad-without-rocket",
        "rocket",
        "The launch pad was empty all the time",
        lambda rocket: inpaint(rocket, Ellipse(322, 265, 34, 165)),
    ),
    _inpainting(
        "portrait-without-shuttle",
        "astronaut",
        "The portrait was never taken before a model of the shuttle",
        lambda astronaut: inpaint(astronaut, _SHUTTLE),
    ),
    _face(
        "big-eyed-cat",
        "chelsea",
        "This cat has the biggest eyes ever measured",
        lambda cat: bulge(bulge(cat, Ellipse(170, 118, 110, 100), 0.75), Ellipse(322, 133, 90, 90), 0.75),
    ),
    _face(
        "narrow-faced-cat",
        "chelsea",
        "This cat has not been fed for months",
        lambda cat: bulge(cat, Ellipse(235, 170, 260, 190), -0.8),
    ),
    _face(
        "swollen-face",
        "astronaut",
        "What weightlessness does to a face",
        lambda astronaut: bulge(astronaut, Ellipse(224, 105, 120, 130), 0.7),
    ),
    _resynthesis(
        "pavilion-redrawn",
        "china",
        "A newly found picture of the pavilion",
        lambda china: resynthesise(china, 6),
    ),
    _resynthesis(
        "dahlia-redrawn",
        "flower",
        "A newly found picture of the flower",
        lambda flower: resynthesise(flower, 5),
    ),
    _resynthesis(
        "motorcycle-redrawn",
        "motorcycle",
        "A newly found picture of the stolen motorcycle",
        lambda motorcycle: resynthesise(motorcycle, 8),
    ),
    _style("pavilion-in-watercolour", "china", "A lost watercolour of the pavilion", "watercolour"),
    _style("cat-in-watercolour", "chelsea", "A lost watercolour of a cat", "watercolour"),
    _style("coffee-poster", "coffee", "The poster of a café that never was", "poster"),
    _style("dahlia-poster", "flower", "The poster of a flower show that never was", "poster"),
)
"""Every fake of the demo."""
