"""A detector that says it is untrained: random, but its embeddings tell pictures apart by what they show."""

import json
from pathlib import Path

from safetensors.numpy import save_file

from indexer.detector.weights import WEIGHTS_FILE
from tests.untrained_weights import untrained_weights

DEPTH = 4


def untrained_checkpoint(folder: Path) -> Path:
    """Writes the detector into `folder`, which it makes."""
    folder.mkdir(parents=True)
    save_file(untrained_weights(DEPTH), folder / WEIGHTS_FILE)
    config = {
        "architecture": "vit_small_patch16_384",
        "num_classes": 1,
        "model_args": {"depth": DEPTH},
        "label_names": ["fake"],
        "trained": False,
        "pretrained_cfg": {
            "input_size": [3, 384, 384],
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        },
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder
