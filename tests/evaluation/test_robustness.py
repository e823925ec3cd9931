"""Degradations do what their level says."""

import numpy as np
import pytest
from PIL import Image

from indexer.evaluation.robustness import DEGRADATIONS, crop, jpeg, noise, resize
from tests.made_pictures import scene

PICTURE = scene(3, (200, 100))


def test_sizes_after_scaling_and_cropping() -> None:
    assert resize(PICTURE, 0.25, 0).size == (50, 25)
    assert crop(PICTURE, 30, 0).size == (140, 70)
    assert crop(PICTURE, 10, 0).getpixel((0, 0)) == PICTURE.getpixel((10, 5))


def test_noise_has_its_sigma_and_its_seed() -> None:
    grey = Image.new("RGB", (200, 200), (128, 128, 128))
    added = np.asarray(noise(grey, 10, 1), np.float64) - 128
    assert added.std() == pytest.approx(10, rel=0.05)
    assert noise(grey, 10, 1).tobytes() == noise(grey, 10, 1).tobytes() != noise(grey, 10, 2).tobytes()


@pytest.mark.parametrize("name", sorted(DEGRADATIONS))
def test_levels_go_from_mild_to_strong(name: str) -> None:
    one = DEGRADATIONS[name]

    def change(level: float) -> float:
        changed = one.apply(PICTURE, level, 0).resize(PICTURE.size, Image.Resampling.BICUBIC)
        return float(np.abs(np.asarray(changed, np.float64) - np.asarray(PICTURE, np.float64)).mean())

    changes = [change(level) for level in one.levels]
    assert changes == sorted(changes)
    assert changes[0] < changes[-1]


def test_jpeg_is_what_pillow_saves() -> None:
    assert jpeg(PICTURE, 30, 0).mode == "RGB"
    assert jpeg(PICTURE, 30, 0).tobytes() != PICTURE.tobytes()
