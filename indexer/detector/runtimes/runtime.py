"""What a runtime is."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class RuntimeUnavailableError(Exception):
    """This machine or installation lacks what a runtime needs; the message says what."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """One forward pass, float32 on the CPU: `logits` [N, C]; `cls` [N, 384] after the final LayerNorm."""

    logits: Tensor
    cls: Tensor


class Runtime(Protocol):
    """A network made ready to run in one way and one precision. Any thread may call it; passes run one by one."""

    name: str
    precision: str

    def infer(self, batch: Tensor) -> Outputs:
        """One forward pass of `batch` [N, 3, 384, 384], float32 on the CPU, N at least 1."""
        ...


def batch_of(pictures: npt.NDArray[np.float32]) -> Tensor:
    """What `Runtime.infer` takes, of prepared pictures [N, 3, 384, 384]; a copy."""
    return torch.from_numpy(pictures.copy())
