"""Our loader and Transformers are the same function: both key layouts, both heads, the real size."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from indexer.detector import Detector, load_detector
from indexer.settings import Settings
from tests.detector.reference_checkpoints import Reference, make_reference, to_timm_layout

CLASSES = ("Real", "Deepfake")


def batch_of(count: int) -> torch.Tensor:
    return torch.randn(count, 3, 384, 384, generator=torch.Generator().manual_seed(7))


def assert_same(detector: Detector, reference: Reference, batch: torch.Tensor) -> None:
    logits, hidden = reference.outputs(batch)
    output = detector.run(batch)
    assert np.abs(output.logits - logits.numpy()).max() < 1e-4
    assert np.abs(output.cls - hidden[:, 0].numpy()).max() < 1e-4
    assert output.cls.std() > 0.1


def test_a_vit_small_of_twelve_blocks_gives_the_logits_and_cls_of_transformers(
    tmp_path: Path, settings: Settings
) -> None:
    reference = make_reference(tmp_path / "small", depth=12, mlp=1536)
    detector = load_detector(settings, str(reference.folder))
    assert sum(p.numel() for p in reference.model.parameters()) == 21_811_969
    assert detector.spec.architecture.name == "vit_small_patch16_384"
    assert_same(detector, reference, batch_of(2))


@pytest.mark.parametrize("labels", [("fake",), CLASSES], ids=["sigmoid", "softmax"])
@pytest.mark.parametrize("prefix", [None, "", "vit."], ids=["transformers", "timm", "timm-under-vit"])
def test_both_layouts_and_both_heads_agree_with_transformers(
    tmp_path: Path, settings: Settings, prefix: str | None, labels: tuple[str, ...]
) -> None:
    reference = make_reference(tmp_path / "made", depth=2, mlp=96, labels=labels)
    folder = reference.folder
    if prefix is not None:
        folder = to_timm_layout(folder, tmp_path / "timm", depth=2, mlp=96, labels=labels, prefix=prefix)
        # timm's LayerNorm has another epsilon than Transformers' default, which shows in tokens of small variance only
        for module in reference.model.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.eps = 1e-6
    batch = batch_of(2)
    detector = load_detector(settings, str(folder))
    assert_same(detector, reference, batch)
    logits, _ = reference.outputs(batch)
    expected = torch.sigmoid(logits[:, 0]) if len(labels) == 1 else torch.softmax(logits, 1)[:, 1]
    np.testing.assert_allclose(detector.run(batch).p_fake, expected.numpy(), atol=1e-5)


def test_patches_and_attention_maps_are_those_of_transformers(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    reference = make_reference(tmp_path / "made", depth=2)
    batch = batch_of(2)
    _, hidden = reference.outputs(batch)
    with torch.inference_mode():
        maps = reference.model(batch, output_attentions=True).attentions
    output = load_detector(make_settings(batch_size=1), str(reference.folder)).run(batch, patches=True, attention=True)
    assert output.patches is not None
    assert output.attention is not None
    assert output.patches.shape == (2, 576, 384)
    assert np.abs(output.patches - hidden[:, 1:].numpy()).max() < 1e-4
    assert [one.shape for one in output.attention] == [(2, 6, 577, 577)] * 2
    for ours, theirs in zip(output.attention, maps, strict=True):
        assert np.abs(ours - theirs.numpy()).max() < 1e-5
        np.testing.assert_allclose(ours.sum(axis=-1), 1, atol=1e-4)
