"""From a weights file to the tensors of a model: copies in fp32, every number finite."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from indexer.detector.weights import KeyMap
from indexer.errors import WeightsRefusedError


def fill(model: nn.Module, weights: Path, keys: KeyMap) -> None:
    """Gives a model, made on the `meta` device, the numbers of a file whose names and shapes were checked.

    The file is memory-mapped while it is read and the numbers are copied out of it, so that a file changed later cannot
    change a model that has proved itself.

    Raises:
        WeightsRefusedError: the file cannot be read, does not fit, or holds numbers that are not finite.
    """
    try:
        model.load_state_dict(_read(weights, keys), strict=True, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise WeightsRefusedError(f"{weights} does not fit the model: {reason}") from None


def _read(weights: Path, keys: KeyMap) -> dict[str, Tensor]:
    """Float32 copies of the file's tensors under the model's names, the parts of fused ones laid end to end."""
    tensors = {}
    try:
        with safe_open(weights, framework="pt") as file:
            for name, sources in keys.items():
                parts = [file.get_tensor(source) for source in sources]
                for source, part in zip(sources, parts, strict=True):
                    if not torch.isfinite(part).all():
                        raise WeightsRefusedError(f"{weights}: {source} holds numbers that are not finite")
                tensors[name] = (torch.cat(parts) if len(parts) > 1 else parts[0]).to(torch.float32, copy=True)
    except (SafetensorError, OSError) as error:
        raise WeightsRefusedError(f"{weights} cannot be read: {error}") from None
    return tensors
