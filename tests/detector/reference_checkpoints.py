"""Real checkpoints, made with Transformers and small where size does not matter."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

from indexer.detector.spec import Architecture
from indexer.detector.transformers_layout import key_map

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]


@dataclass(frozen=True)
class Reference:
    """A checkpoint folder and the Transformers model that is in it."""

    folder: Path
    model: ViTForImageClassification

    def outputs(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Transformers' logits [N, C] and its last hidden state [N, 577, 384]."""
        with torch.inference_mode():
            hidden = self.model.vit(batch).last_hidden_state
            return self.model(batch).logits, hidden


def make_reference(
    folder: Path, *, depth: int = 1, mlp: int = 64, labels: tuple[str, ...] = ("fake",), seed: int = 0
) -> Reference:
    """A ViT with every parameter random, norms and biases included, so that no swapped tensor goes unnoticed."""
    torch.manual_seed(seed)
    config = ViTConfig(
        hidden_size=384,
        num_hidden_layers=depth,
        num_attention_heads=6,
        intermediate_size=mlp,
        image_size=384,
        patch_size=16,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        attn_implementation="eager",
    )
    model = ViTForImageClassification(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.03)
    model.save_pretrained(folder)
    ViTImageProcessor(
        do_resize=True,
        size={"shortest_edge": 440},
        resample=3,
        do_center_crop=True,
        crop_size={"height": 384, "width": 384},
        image_mean=CLIP_MEAN,
        image_std=CLIP_STD,
    ).save_pretrained(folder)
    return Reference(folder, model)


def to_timm_layout(source: Path, folder: Path, *, depth: int, mlp: int, labels: tuple[str, ...], prefix: str) -> Path:
    """The same checkpoint as timm lays it out, under `prefix`."""
    tensors = load_file(source / "model.safetensors")
    keys = key_map(Architecture("vit", depth, 6, mlp))
    folder.mkdir()
    fused = {prefix + name: torch.cat([tensors[part] for part in parts]).contiguous() for name, parts in keys.items()}
    save_file(fused, folder / "model.safetensors")
    config = {
        "architecture": "vit_small_patch16_384",
        "num_classes": len(labels),
        "label_names": list(labels),
        "model_args": {"depth": depth, "mlp_ratio": mlp / 384},
        "pretrained_cfg": {
            "input_size": [3, 384, 384],
            "crop_pct": 0.875,
            "interpolation": "bilinear",
            "mean": CLIP_MEAN,
            "std": CLIP_STD,
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def edit_json(path: Path, **changes: object) -> None:
    """Sets keys of a JSON file; None removes one."""
    values = json.loads(path.read_text())
    values |= changes
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))
