"""What a runtime of a copy descriptor is."""

from typing import Protocol

from torch import Tensor


class EmbeddingRuntime(Protocol):
    """A network made ready to run in one way and one precision. Any thread may call it; passes run one by one."""

    name: str
    precision: str

    def infer(self, batch: Tensor) -> Tensor:
        """What the network gives, float32 [N, D] on the CPU, for `batch` [N, 3, S, S], float32 on the CPU, N at least
        1; not yet of length 1."""
        ...
