"""Pictures altered by AugLy (Meta, MIT): a script for an interpreter of its own, which has AugLy, Pillow 9.5, numpy 1.

Reads jobs as lines of JSON from standard input: name, strength (0 to 2), seed, picture, other (a picture that belongs
to nobody), to (the JPEG file to write). `perspective_transform` is left out: it fails with a current numpy.
"""

import json
import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

Make: TypeAlias = Callable[[Any, Any, int, random.Random, str], Any]
"""AugLy's module, the picture, the strength, chance and the path of another picture, to the altered picture."""


def _emoji(augly: Any, picture: Any, strength: int, chance: random.Random, _: str) -> Any:
    for _number in range((1, 2, 4)[strength]):
        picture = augly.overlay_emoji(
            picture, emoji_size=(0.2, 0.3, 0.4)[strength], x_pos=chance.uniform(0, 0.7), y_pos=chance.uniform(0, 0.6)
        )
    return picture


def _text(augly: Any, picture: Any, strength: int, chance: random.Random, _: str) -> Any:
    for _number in range((1, 2, 4)[strength]):
        words = [[chance.randrange(10, 900) for _ in range(10)]]
        colour = tuple(chance.randrange(256) for _ in range(3))
        picture = augly.overlay_text(
            picture, text=words, font_size=0.1, color=colour, x_pos=0.05, y_pos=chance.uniform(0.05, 0.8)
        )
    return picture


def _meme(augly: Any, picture: Any, strength: int, _: random.Random, __: str) -> Any:
    return augly.meme_format(
        picture, text="when they see it", caption_height=max(30, round(picture.height * (0.15, 0.3, 0.6)[strength]))
    )


def _crop(augly: Any, picture: Any, strength: int, chance: random.Random, _: str) -> Any:
    kept = (0.8, 0.66, 0.5)[strength]
    x, y = chance.uniform(0, 1 - kept), chance.uniform(0, 1 - kept)
    return augly.crop(picture, x1=x, y1=y, x2=x + kept, y2=y + kept)


def _background(augly: Any, picture: Any, strength: int, chance: random.Random, other: str) -> Any:
    size = (0.75, 0.55, 0.4)[strength]
    return augly.overlay_onto_background_image(
        picture, other, overlay_size=size, x_pos=chance.uniform(0, 1 - size), y_pos=chance.uniform(0, 0.5)
    )


def _stripes(augly: Any, picture: Any, strength: int, chance: random.Random, _: str) -> Any:
    colour = tuple(chance.randrange(256) for _ in range(3))
    width = (0.25, 0.5, 0.6)[strength]
    return augly.overlay_stripes(
        picture, line_width=width, line_color=colour, line_angle=chance.choice((0, 45, 90)),
        line_density=(0.3, 0.5, 0.7)[strength]
    )  # fmt: skip


def _several(augly: Any, picture: Any, strength: int, chance: random.Random, other: str) -> Any:
    families: dict[str, list[str]] = {}
    for name, (family, _) in ALTERATIONS.items():
        if name not in ("several", "mixed"):
            families.setdefault(family, []).append(name)
    for family in chance.sample(sorted(families), (2, 3, 4)[strength]):
        name = chance.choice(families[family])
        picture = ALTERATIONS[name][1](augly, picture.convert("RGB"), chance.randrange(2), chance, other)
    return picture


def _mixed(augly: Any, picture: Any, strength: int, chance: random.Random, _: str) -> Any:
    """Mirrored, with an emoji, squeezed, blurred, on a larger ground: five at once."""
    picture = augly.hflip(picture)
    picture = augly.overlay_emoji(picture, emoji_size=0.25, x_pos=chance.uniform(0, 0.7), y_pos=chance.uniform(0, 0.6))
    picture = augly.saturation(picture, factor=(1.3, 1.6, 2.0)[strength])
    picture = augly.blur(picture, radius=(0.5, 1.0, 2.0)[strength])
    return augly.pad(picture, w_factor=(0.05, 0.15, 0.25)[strength], h_factor=(0.05, 0.15, 0.25)[strength])


def _simple(function: str, **values: tuple[Any, Any, Any]) -> Make:
    """A function of AugLy's with a value for each strength."""

    def make(augly: Any, picture: Any, strength: int, _: random.Random, __: str) -> Any:
        return getattr(augly, function)(picture, **{name: given[strength] for name, given in values.items()})

    return make


def _sticker(augly: Any, picture: Any, strength: int, chance: random.Random, other: str) -> Any:
    size = (0.3, 0.45, 0.6)[strength]
    at = chance.uniform(0, 1 - size), chance.uniform(0, 1 - size)
    return augly.overlay_image(picture, other, overlay_size=size, x_pos=at[0], y_pos=at[1], max_visible_opacity=1.0)


ALTERATIONS: Mapping[str, tuple[str, Make]] = {
    "blur": ("quality", _simple("blur", radius=(1.5, 3.0, 6.0))),
    "brightness": ("colour", _simple("brightness", factor=(1.3, 0.6, 2.0))),
    "change_aspect_ratio": ("geometry", _simple("change_aspect_ratio", ratio=(1.3, 1.7, 0.5))),
    "color_jitter": ("colour", _simple("color_jitter", brightness_factor=(1.2, 0.7, 1.6),
                                       contrast_factor=(1.2, 0.7, 1.8), saturation_factor=(1.3, 0.5, 2.5))),
    "contrast": ("colour", _simple("contrast", factor=(1.4, 0.6, 2.5))),
    "crop": ("crop", _crop),
    "encoding_quality": ("quality", _simple("encoding_quality", quality=(40, 20, 8))),
    "grayscale": ("colour", _simple("grayscale", mode=("luminosity", "average", "average"))),
    "hflip": ("geometry", _simple("hflip")),
    "meme_format": ("overlay", _meme),
    "opacity": ("colour", _simple("opacity", level=(0.8, 0.6, 0.4))),
    "overlay_emoji": ("overlay", _emoji),
    "overlay_image": ("overlay", _sticker),
    "overlay_onto_background_image": ("composition", _background),
    "overlay_onto_screenshot": ("frame", _simple("overlay_onto_screenshot", max_image_size_pixels=(1_000_000,) * 3,
                                                 crop_src_to_fit=(False, False, True))),
    "overlay_stripes": ("overlay", _stripes),
    "overlay_text": ("overlay", _text),
    "pad": ("frame", _simple("pad", w_factor=(0.1, 0.25, 0.5), h_factor=(0.1, 0.25, 0.5))),
    "pad_square": ("frame", _simple("pad_square", color=((0, 0, 0), (255, 255, 255), (90, 120, 200)))),
    "pixelization": ("quality", _simple("pixelization", ratio=(0.4, 0.2, 0.1))),
    "random_noise": ("quality", _simple("random_noise", var=(0.005, 0.02, 0.05))),
    "rotate": ("geometry", _simple("rotate", degrees=(5.0, 15.0, 30.0))),
    "saturation": ("colour", _simple("saturation", factor=(1.5, 0.3, 3.0))),
    "scale": ("quality", _simple("scale", factor=(0.5, 0.25, 0.15))),
    "sharpen": ("quality", _simple("sharpen", factor=(3.0, 8.0, 20.0))),
    "shuffle_pixels": ("quality", _simple("shuffle_pixels", factor=(0.05, 0.15, 0.3))),
    "skew": ("geometry", _simple("skew", skew_factor=(0.15, 0.3, 0.5))),
    "vflip": ("geometry", _simple("vflip")),
    "mixed": ("composition", _mixed),
    "several": ("composition", _several),
}  # fmt: skip
"""Family and function, by name."""


def main() -> int:
    """Makes what standard input asks for."""
    import augly.image as augly  # type: ignore[import-not-found, unused-ignore]
    from PIL import Image

    for line in sys.stdin:
        job = json.loads(line)
        chance = random.Random(f"{job['name']}:{job['strength']}:{job['seed']}:{job['picture'][-20:]}")
        with Image.open(job["picture"]) as opened:
            picture = opened.convert("RGB")
        try:
            made = ALTERATIONS[job["name"]][1](augly, picture, job["strength"], chance, job["other"])
        except Exception as error:  # noqa: BLE001 (AugLy raises what it likes; the run goes on)
            print(f"augly: {job['name']} at strength {job['strength']}: {error!r}", file=sys.stderr)
            continue
        to = Path(job["to"])
        part = to.with_suffix(".part")
        made.convert("RGB").save(part, "JPEG", quality=90)
        part.replace(to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
