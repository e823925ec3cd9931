"""From a prepared batch to the array that a network takes."""

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from indexer.copies.descriptor.spec import OnnxInput


def as_input(batch: Tensor, onnx: OnnxInput | None) -> npt.NDArray[Any]:
    """`batch` [N, 3, S, S], float32 on the CPU, in the layout and type that `onnx` names; as it is without."""
    array = batch.contiguous().numpy()
    if onnx is None:
        return array
    if onnx.type == "uint8":
        array = np.rint(array).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)) if onnx.layout == "nhwc" else array
