"""Where and how the arithmetic runs: device, precision, and what an out-of-memory error looks like."""

from typing import Final

import torch

from indexer.errors import DetectorError

DTYPES: Final = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_AUTO_PRECISION: Final = {"cuda": "fp16", "mps": "fp16", "xpu": "bf16", "cpu": "fp32"}


def choose_device(requested: str) -> torch.device:
    """The device called `requested`; `auto` takes the first present of CUDA, MPS, XPU, and otherwise the CPU.

    Raises:
        DetectorError: the device is not on this machine.
    """
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "xpu": torch.xpu.is_available(),
        "cpu": True,
    }
    if requested == "auto":
        return torch.device(next(name for name, here in present.items() if here))
    if not present[requested]:
        here = ", ".join(name for name, there in present.items() if there)
        raise DetectorError(f"device {requested} is not on this machine (there is: {here}): set DEJAFAKE_DEVICE=auto")
    return torch.device(requested)


def choose_precision(requested: str, device: torch.device) -> str:
    """`fp32`, `bf16` or `fp16`; `auto` is what the device is good at (see `settings.precision`)."""
    return _AUTO_PRECISION[device.type] if requested == "auto" else requested


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the batch was too large: torch words it differently on every device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def release_memory(device: torch.device) -> None:
    """Returns cached device memory before a smaller batch is tried."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    elif device.type == "xpu":
        torch.xpu.empty_cache()
