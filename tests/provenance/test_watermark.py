"""Stable Diffusion's invisible watermark: found where it is, silent where it is not, and small when in doubt."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from benchmarks.made_up.watermarks import watermarked
from indexer.provenance import Finding, read_provenance
from indexer.provenance.findings import Watermark
from indexer.provenance.watermark import MESSAGES, least_matching, read_watermark
from indexer.vocabulary import EvidenceKind, ProvenanceKind
from tests.made_pictures import encoded, scene


def textured(seed: int) -> Image.Image:
    """A scene as a photograph would show it: muted colours, soft edges, grain in brightness."""
    soft = np.asarray(scene(seed).filter(ImageFilter.GaussianBlur(6)), np.float32)
    grain = np.random.default_rng(seed).normal(0, 4, (360, 480, 1))
    return Image.fromarray(np.clip(soft * 0.4 + 75 + grain, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("exact", [False, True], ids=["rounded colours", "exact colours"])
@pytest.mark.parametrize("name", MESSAGES)
def test_each_message_is_read_back(name: str, exact: bool) -> None:
    marked = watermarked(textured(1), MESSAGES[name], exact=exact)
    (found,) = read_provenance(encoded(marked)).findings
    assert (found.kind, found.worth, found.made_with) == (ProvenanceKind.WATERMARK, EvidenceKind.STATISTICAL, name)
    assert isinstance(found.watermark, Watermark)
    assert found.watermark.matching >= least_matching(found.watermark.length)
    assert "missing would mean nothing" in found.statement


def test_it_is_read_when_the_encoder_was_given_the_colours_in_the_other_order() -> None:
    swapped = Image.fromarray(np.asarray(textured(2))[..., ::-1].copy())
    marked = watermarked(swapped, MESSAGES["Stable Diffusion XL"], exact=True)
    assert read_watermark(Image.fromarray(np.asarray(marked)[..., ::-1].copy()))


def of_other_bits(seed: int) -> list[Finding]:
    other = np.random.default_rng(seed).random(48) < 0.5
    return read_watermark(watermarked(textured(seed), other))


def test_pictures_without_it_say_nothing() -> None:
    assert not any(read_watermark(scene(seed)) or read_watermark(textured(seed)) for seed in range(8))
    assert not any(of_other_bits(seed) for seed in range(8))
    assert read_watermark(Image.new("RGB", (512, 512), "teal")) == []


def test_what_jpeg_leaves_of_it_is_never_taken_for_another_message() -> None:
    for seed in range(3):
        buffer = io.BytesIO(encoded(watermarked(textured(seed), MESSAGES["Stable Diffusion 1"]), "JPEG", quality=80))
        found = read_watermark(Image.open(buffer).convert("RGB"))
        assert [one.made_with for one in found] in ([], ["Stable Diffusion 1"])


@pytest.mark.parametrize(("length", "least"), [(32, 31), (48, 42)])
def test_as_many_bits_must_match_as_the_binomial_tail_asks(length: int, least: int) -> None:
    assert least_matching(length) == least


@pytest.mark.parametrize("size", [(200, 200), (2_500, 2_500)], ids=["too small", "too large"])
def test_sizes_it_never_has_are_not_looked_at(size: tuple[int, int]) -> None:
    marked = watermarked(textured(3).resize(size), MESSAGES["Stable Diffusion 1"])
    assert read_watermark(marked) == []
