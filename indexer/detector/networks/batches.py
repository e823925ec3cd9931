"""A batch passed through a network in pieces, smaller ones where the memory is short."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from indexer.detector.runtime import is_out_of_memory, release_memory
from indexer.errors import DetectorError

Output = TypeVar("Output")


def passes(
    name: str,
    batch: Tensor,
    size: int,
    forward: Callable[[Tensor], Output],
    device: torch.device,
    precision: Callable[[], str],
) -> Iterator[Output]:
    """What `forward` gives for pieces of `batch` [N, 3, S, S], of `size` pictures or, when memory runs out, of half as
    many, again and again.

    Args:
        name, precision: of the network, for an error.

    Raises:
        DetectorError: not even one picture fits, or the pass failed.
    """
    start = 0
    while start < len(batch):
        chunk = batch[start : start + size]
        try:
            output = _once(chunk, forward)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise DetectorError(f"{name} failed on {device.type} in {precision()}: {reason}") from error
        if output is not None:
            yield output
            start += len(chunk)
            continue
        release_memory(device)
        if len(chunk) == 1:
            raise DetectorError(
                f"not enough memory on {device.type} for a single picture: free some, or set DEJAFAKE_DEVICE=cpu"
            )
        size = len(chunk) // 2


def _once(chunk: Tensor, forward: Callable[[Tensor], Output]) -> Output | None:
    """One pass, None when memory ran out; by then the error, which holds on to memory, is gone."""
    try:
        return forward(chunk)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            return None
        raise
