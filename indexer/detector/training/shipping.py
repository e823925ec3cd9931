"""From a finished run to the folder that is shipped: fp16 weights in safetensors and the configuration beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from indexer.detector.spec import IMAGE_SIZE
from indexer.detector.training.config import TrainingConfig
from indexer.detector.training.network import shipped_tensors
from indexer.detector.weights import WEIGHTS_FILE
from indexer.vocabulary import EMBEDDING_SIZE


def ship(state: Mapping[str, torch.Tensor], config: TrainingConfig, folder: Path) -> None:
    """Writes `model.safetensors` and `config.json` into `folder`; the same state gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: values.half() for name, values in shipped_tensors(state, config).items()}
    save_file(dict(sorted(tensors.items())), folder / WEIGHTS_FILE, metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(_configuration(config), indent=1) + "\n", encoding="utf-8")


def _configuration(config: TrainingConfig) -> dict[str, Any]:
    """config.json in timm's layout."""
    return {
        "architecture": "vit_small_patch16_384",
        "num_classes": 1,
        "num_features": EMBEDDING_SIZE,
        "global_pool": "token",
        "model_args": {
            "depth": config.depth,
            "mlp_ratio": config.mlp_ratio,
            "conv_stem": [list(layer) for layer in config.conv_stem],
        },
        "label_names": ["fake"],
        "trained": True,
        "pretrained_cfg": {
            "input_size": [3, IMAGE_SIZE, IMAGE_SIZE],
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
            "license": "mit",
        },
    }
