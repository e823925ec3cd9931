"""From a run to the folder that is shipped: fp16 weights with folded batch normalisation, the background for score
normalisation, and the configuration that describes them."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from indexer.arrays import Vectors
from indexer.copies.descriptor.background import BACKGROUND_FILE, Background
from indexer.copies.descriptor.description import CONFIG_FILE
from indexer.copies.descriptor.network import ARCHITECTURE, CopyNetwork, NetworkShape, folded_state
from indexer.copies.descriptor.registry import resolve_descriptor
from indexer.copies.descriptor.training.config import TrainingConfig
from indexer.copies.descriptor.training.finishing import whiten
from indexer.copies.descriptor.training.pictures import Pixels
from indexer.copies.descriptor.training.supply import MEAN, STD, Collection, as_tensor, squeezed
from indexer.detector.training.network import bfloat16_where_fast
from indexer.detector.weights import WEIGHTS_FILE, digest
from indexer.errors import NotFoundError
from indexer.files.whole_files import write_whole

INTERPOLATION: Final = "bilinear"
"""Of the shrinking of pictures in use, Pillow's, which averages: the nearest to how those of the training shrink."""
_NEAREST: Final = 5
"""How many cosines to the background make up a query's level."""
_AT_ONCE: Final = 32
_SUMMARY: Final = (
    "The bundled copy descriptor: finds copies of a picture, however they were cut, framed and recoloured."
)
_LIMITS: Final = (
    "trained on 14,000 pictures: text pages, screenshots of one application and pictures of one series lie close "
    "together, so a high score alone proves nothing",
)


def embed(network: CopyNetwork, pictures: list[Pixels], side: int) -> Vectors:
    """Embeddings [N, D] of whole pictures, prepared as in use."""
    network.eval()
    batches = []
    with torch.inference_mode(), bfloat16_where_fast():
        for start in range(0, len(pictures), _AT_ONCE):
            seen = [squeezed(pixels, side) for pixels in pictures[start : start + _AT_ONCE]]
            batches.append(network(as_tensor(seen)).float().numpy())
    return np.concatenate(batches)


def ship(network: CopyNetwork, pictures: Collection, config: TrainingConfig, folder: Path) -> None:
    """Writes weights, background and configuration into `folder`. `likely_copy` of a configuration that is there is
    dropped: it was measured with other weights. Golden outputs are recorded by `dejafake descriptor verify --write`."""
    folder.mkdir(parents=True, exist_ok=True)
    whiten(network, pictures, config)
    tensors = {name: values.half().contiguous() for name, values in folded_state(network).items()}
    save_file(dict(sorted(tensors.items())), folder / WEIGHTS_FILE, metadata={"format": "pt"})
    chosen = np.random.default_rng((config.seed, 2)).permutation(len(pictures))[: config.background]
    background = embed(network, [pictures[int(number)] for number in np.sort(chosen)], config.side)
    save_file({"background": torch.from_numpy(background).half()}, folder / BACKGROUND_FILE)
    text = json.dumps(_configuration(config, folder), indent=1) + "\n"
    write_whole(folder / CONFIG_FILE, text.encode())


def read_shipped(folder: Path) -> tuple[CopyNetwork, Background, int]:
    """Network, background and side of what `ship` wrote into `folder`.

    Raises:
        DetectorError: a file is missing or not what the configuration says.
    """
    resolved = resolve_descriptor(str(folder))
    background = resolved.background() if resolved else None
    if resolved is None or background is None:
        raise NotFoundError(f"{folder} holds no weights with a background: name the folder given to `ship`")
    network = CopyNetwork(NetworkShape.from_dict({**resolved.spec.architecture, "dimension": resolved.spec.dimension}))
    network.load_state_dict({name: values.float() for name, values in load_file(resolved.weights).items()})
    network.to(memory_format=torch.channels_last)
    return network.eval(), background, resolved.spec.preprocessing.crop


def _configuration(config: TrainingConfig, folder: Path) -> dict[str, Any]:
    return {
        "name": "dejafake-copies",
        "summary": _SUMMARY,
        "licence": "MIT",
        "trained": True,
        "limits": list(_LIMITS),
        "weights_sha256": digest(folder / WEIGHTS_FILE),
        "architecture": {"name": ARCHITECTURE, "widths": list(config.widths), "depths": list(config.depths)},
        "dimension": config.dimension,
        "preprocessing": {
            "size": config.side,
            "resize": "squeeze",
            "interpolation": INTERPOLATION,
            "mean": list(MEAN),
            "std": list(STD),
        },
        "background": {"sha256": digest(folder / BACKGROUND_FILE), "nearest": _NEAREST},
    }
