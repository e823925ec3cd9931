"""Real detectors that are small and quick: one block, random numbers, in timm's layout."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from indexer.detector.spec import Architecture
from indexer.detector.weights import WEIGHTS_FILE, model_shapes

MLP = 64


def tiny_detector(folder: Path, *, seed: int, trained: bool = True) -> Path:
    """A folder with a detector; every seed gives another one. `trained` is what it says of itself."""
    random = np.random.default_rng(seed)
    shapes = model_shapes(Architecture("vit_small_patch16_384", 1, 6, MLP), 1)
    folder.mkdir(parents=True)
    save_file(
        {name: (random.standard_normal(shape) * 0.05).astype(np.float32) for name, shape in shapes.items()},
        folder / WEIGHTS_FILE,
    )
    config = {
        "architecture": "vit_small_patch16_384",
        "num_classes": 1,
        "model_args": {"depth": 1, "mlp_ratio": MLP / 384},
        "label_names": ["fake"],
        "trained": trained,
        "pretrained_cfg": {
            "input_size": [3, 384, 384],
            "crop_pct": 1.0,
            "interpolation": "bilinear",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder
