"""A detector with a convolutional stem is what plain torch makes of the same weights, and a false description of one is
refused."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from indexer.detector import fingerprint, load_detector, resolve
from indexer.errors import WeightsRefusedError
from indexer.settings import Settings
from tests.detector.reference_checkpoints import edit_json

STEM = ((8, 2), (12, 2), (12, 1), (16, 2), (24, 2))
DEPTH, MLP = 2, 96


class PlainTransformer(nn.Module):
    """The same network from torch's own parts, which share no code with timm's."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, *(channels for channels, _ in STEM))
        self.stem = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride, 1) for before, (after, stride) in zip(widths[:-1], STEM, strict=True)
        )
        self.proj = nn.Conv2d(widths[-1], 384, 1)
        self.cls, self.positions = nn.Parameter(torch.empty(384)), nn.Parameter(torch.empty(577, 384))
        layer = nn.TransformerEncoderLayer(384, 6, MLP, 0, "gelu", 1e-6, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, DEPTH, nn.LayerNorm(384, 1e-6), enable_nested_tensor=False)
        self.head = nn.Linear(384, 1)

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [N, 1] and the CLS token [N, 384]."""
        for layer in self.stem:
            batch = torch.clamp(layer(batch), min=0)
        patches = self.proj(batch).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(len(batch), 1, -1), patches], 1) + self.positions
        cls = self.blocks(tokens)[:, 0]
        return self.head(cls), cls

    def tensors(self) -> dict[str, Tensor]:
        """Its weights under the names of a checkpoint."""
        tensors = {"cls_token": self.cls[None, None], "pos_embed": self.positions[None]}
        for index, layer in enumerate(self.stem):
            tensors |= _named(f"patch_embed.stem.{index}", layer)
        tensors |= _named("patch_embed.proj", self.proj) | _named("norm", self.blocks.norm) | _named("head", self.head)
        for index, layer in enumerate(self.blocks.layers):
            block = f"blocks.{index}."
            tensors |= {
                block + "attn.qkv.weight": layer.self_attn.in_proj_weight,
                block + "attn.qkv.bias": layer.self_attn.in_proj_bias,
            }
            tensors |= _named(block + "attn.proj", layer.self_attn.out_proj)
            for ours, theirs in (
                ("norm1", "norm1"),
                ("norm2", "norm2"),
                ("mlp.fc1", "linear1"),
                ("mlp.fc2", "linear2"),
            ):
                tensors |= _named(block + ours, getattr(layer, theirs))
        return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}


def _named(name: str, module: nn.Module) -> dict[str, Tensor]:
    return {f"{name}.{kind}": parameter for kind, parameter in module.named_parameters()}


@pytest.fixture(scope="module")
def reference() -> PlainTransformer:
    torch.manual_seed(0)
    plain = PlainTransformer().eval()
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.copy_(torch.randn_like(parameter) * parameter[0].numel() ** -0.5)
    return plain


@pytest.fixture
def folder(reference: PlainTransformer, tmp_path: Path) -> Path:
    made = tmp_path / "stemmed"
    made.mkdir()
    save_file(reference.tensors(), made / "model.safetensors")
    config = {
        "architecture": "vit_small_patch16_384",
        "num_classes": 1,
        "label_names": ["fake"],
        "model_args": {"depth": DEPTH, "mlp_ratio": MLP / 384, "conv_stem": STEM},
        "pretrained_cfg": {
            "input_size": [3, 384, 384],
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
    }
    (made / "config.json").write_text(json.dumps(config))
    return made


def batch_of(count: int) -> Tensor:
    return torch.randn(count, 3, 384, 384, generator=torch.Generator().manual_seed(7))


def describe_stem(folder: Path, conv_stem: object) -> None:
    edit_json(folder / "config.json", model_args={"depth": DEPTH, "mlp_ratio": MLP / 384, "conv_stem": conv_stem})


def test_logits_and_cls_are_those_of_plain_torch(reference: PlainTransformer, folder: Path, settings: Settings) -> None:
    detector = load_detector(settings, str(folder))
    assert detector.spec.architecture.conv_stem == STEM
    with torch.inference_mode():
        logits, cls = reference(batch_of(2))
    output = detector.run(batch_of(2))
    assert output.cls.std() > 0.1
    np.testing.assert_allclose(output.logits, logits.numpy(), atol=1e-4)
    np.testing.assert_allclose(output.cls, cls.numpy(), atol=1e-4)


@pytest.mark.parametrize(("precision", "allowed"), [("bf16", 0.3), ("fp16", 0.05)])
def test_it_runs_in_half_precision(
    folder: Path, make_settings: Callable[..., Settings], precision: str, allowed: float
) -> None:
    full = load_detector(make_settings(), str(folder)).run(batch_of(1))
    half = load_detector(make_settings(precision=precision), str(folder)).run(batch_of(1))
    assert 0 < np.abs(half.cls - full.cls).max() < allowed


def test_a_file_in_half_precision_is_loaded_into_full(folder: Path, settings: Settings) -> None:
    full = load_detector(settings, str(folder)).run(batch_of(1))
    path = folder / "model.safetensors"
    save_file({name: tensor.half() for name, tensor in load_file(path).items()}, path)
    halved = load_detector(settings, str(folder)).run(batch_of(1))
    assert 0 < np.abs(halved.cls - full.cls).max() < 0.05


@pytest.mark.parametrize(
    ("conv_stem", "words"),
    [
        ([[8, 2], [12, 2], [12, 1], [16, 2], [24, 1]], "conv_stem is"),
        ([[8, 2], [12, 2], [12, 1], [16, 2], [24, 1]], "strides multiply to 16"),
        ([[8, 2], [12, 2], [12, 2], [16, 2], [24, 2]], "strides multiply to 16"),
        ([[8, 4], [12, 4]], "strides 1 or 2"),
        ([[8, 2], [12, 2], [1025, 2], [24, 2]], "channels 1 to 1024"),
        ([[8, 2], [12, 2], [0, 2], [24, 2]], "channels 1 to 1024"),
        ([[8, 2]] * 4 + [[8, 1]] * 9, "1 to 12 pairs"),
        ([[8, 2.0]] * 4, "1 to 12 pairs"),
        ([[True, 2]] * 4, "1 to 12 pairs"),
        ([[8, 2, 3]] * 4, "1 to 12 pairs"),
        ([], "1 to 12 pairs"),
        ("8,2", "1 to 12 pairs"),
        ({"8": 2}, "1 to 12 pairs"),
        ([10**400, 2], "1 to 12 pairs"),
    ],
)
def test_a_stem_we_cannot_make_is_refused_by_its_key(
    folder: Path, settings: Settings, conv_stem: object, words: str
) -> None:
    describe_stem(folder, conv_stem)
    with pytest.raises(WeightsRefusedError, match=r"config\.json: model_args: conv_stem") as refusal:
        resolve(str(folder), settings)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("conv_stem", "words"),
    [
        ((*STEM[:2], (13, 1), *STEM[3:]), "patch_embed.stem.2.weight is [12, 12, 3, 3], expected [13, 12, 3, 3]"),
        ((*STEM[:4], (24, 2), (24, 1)), "2 missing (first: patch_embed.stem.5.weight)"),
        (STEM[:2] + STEM[3:], "2 not expected (first: patch_embed.stem.4.bias)"),
        (None, "10 not expected (first: patch_embed.stem.0.bias)"),
    ],
    ids=["other channels", "one more", "one less", "none"],
)
def test_tensors_other_than_those_of_the_described_stem_are_refused(
    folder: Path, settings: Settings, conv_stem: object, words: str
) -> None:
    describe_stem(folder, conv_stem)
    with pytest.raises(WeightsRefusedError) as refusal:
        load_detector(settings, str(folder))
    assert words in str(refusal.value)


def test_stems_that_differ_only_in_where_they_stride_have_other_fingerprints(folder: Path, settings: Settings) -> None:
    resolved = resolve(str(folder), settings)
    spec = resolved.spec
    moved = dataclasses.replace(spec.architecture, conv_stem=((8, 2), (12, 1), (12, 2), (16, 2), (24, 2)))
    assert fingerprint("ab" * 32, spec.architecture, spec.preprocessing, spec.head) != fingerprint(
        "ab" * 32, moved, spec.preprocessing, spec.head
    )
