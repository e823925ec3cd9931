"""Preparing a picture is bit for bit what Transformers' image processors do on Pillow."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers import CLIPImageProcessorPil, ViTImageProcessorPil

from indexer.detector.configuration import Configuration
from indexer.detector.preprocessing import prepare
from indexer.detector.spec import Preprocessing
from indexer.detector.transformers_layout import read_preprocessing

CROP = {"height": 384, "width": 384}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(width * 7919 + height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("size", [(384, 384), (441, 613), (1200, 801), (97, 64), (640, 440), (40, 700)])
@pytest.mark.parametrize(
    "processor",
    [
        CLIPImageProcessorPil(size={"shortest_edge": 440}, crop_size=CROP, resample=3),
        ViTImageProcessorPil(size={"shortest_edge": 384}, do_center_crop=True, crop_size=CROP, resample=2, **IMAGENET),
        ViTImageProcessorPil(size=CROP, resample=2),
        ViTImageProcessorPil(size=CROP, resample=1, do_normalize=False),
    ],
    ids=["clip-440", "vit-384-crop", "vit-squeezed", "vit-lanczos-plain"],
)
def test_prepare_equals_the_processor_its_file_describes(
    processor: ViTImageProcessorPil, size: tuple[int, int], tmp_path: Path
) -> None:
    picture = noise(*size)
    processor.save_pretrained(tmp_path)
    preprocessing = read_preprocessing(Configuration.read(tmp_path / "preprocessor_config.json"))
    expected = processor(picture, return_tensors="np")["pixel_values"][0]
    prepared = prepare(picture, preprocessing)
    assert prepared.dtype == np.float32
    assert prepared.shape == (3, 384, 384)
    assert prepared.flags.c_contiguous
    assert np.abs(prepared - expected).max() < 1e-6


def test_a_long_strip_is_not_blown_up_and_differs_by_at_most_one_level() -> None:
    processor = CLIPImageProcessorPil(size={"shortest_edge": 440}, crop_size=CROP, resample=3, do_normalize=False)
    preprocessing = Preprocessing(440, 3, 384, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    strip = noise(3, 300)
    expected = processor(strip, return_tensors="np")["pixel_values"][0]
    assert np.abs(prepare(strip, preprocessing) - expected).max() < 1.01 / 255
    # resized as a whole this one would be 440 x 8,800,000 pixels: 11 GB
    assert prepare(noise(20_000, 1), preprocessing).shape == (3, 384, 384)


def test_a_grey_picture_is_taken_as_rgb() -> None:
    preprocessing = Preprocessing(None, 2, 384, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    grey = noise(400, 400).convert("L")
    np.testing.assert_array_equal(prepare(grey, preprocessing), prepare(grey.convert("RGB"), preprocessing))
