"""torch as it is: the reference that every other runtime is held to."""

import threading

import torch
from torch import Tensor, nn


class EagerRuntime:
    """A network in torch, on any device. The weights stay fp32; in a lower precision torch's autocast casts what goes
    into products and convolutions."""

    name = "eager"

    def __init__(self, model: nn.Module, device: torch.device, precision: str, dtype: torch.dtype) -> None:
        self.precision = precision
        self.model = model.to(device).to(memory_format=torch.channels_last).eval().requires_grad_(False)
        self._device = device
        self._autocast = torch.autocast(device.type, dtype, enabled=dtype is not torch.float32)
        self._lock = threading.Lock()

    def infer(self, batch: Tensor) -> Tensor:
        """See `EmbeddingRuntime`."""
        with self._lock, torch.inference_mode(), self._autocast:
            moved = batch.to(self._device, torch.float32, memory_format=torch.channels_last)
            output: Tensor = self.model(moved)
            return output.to("cpu", torch.float32)
