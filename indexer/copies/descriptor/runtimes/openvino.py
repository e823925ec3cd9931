"""OpenVINO, an optional part (`pip install 'dejafake[openvino]'`), for torch networks and ONNX models alike."""

import io
import threading
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from indexer.copies.descriptor.runtimes.layout import as_input
from indexer.copies.descriptor.spec import OnnxInput
from indexer.detector.runtimes.openvino import compiled, openvino_for


class OpenVinoRuntime:
    """A program on OpenVINO's CPU plugin; made by `of_torch` or `of_onnx`."""

    name = "openvino"

    def __init__(self, program: Any, precision: str, shown: str, onnx: OnnxInput | None, threads: int) -> None:
        self.precision = shown
        self._onnx = onnx
        self._lock = threading.Lock()
        self._request = compiled(program, precision, threads)

    @classmethod
    def of_torch(cls, model: nn.Module, side: int, precision: str, threads: int) -> "OpenVinoRuntime":
        """A network in fp32 on the CPU that takes [N, 3, `side`, `side`].

        Raises:
            RuntimeUnavailableError: OpenVINO is not installed, or the processor has no instructions for bf16.
        """
        openvino = openvino_for(precision)
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # of torch's tracer, which OpenVINO calls
            program = openvino.convert_model(model, example_input=torch.zeros(1, 3, side, side))
        return cls(program, precision, precision, None, threads)

    @classmethod
    def of_onnx(cls, data: bytes, onnx: OnnxInput, threads: int) -> "OpenVinoRuntime":
        """An ONNX model, its bytes given.

        Raises:
            RuntimeUnavailableError: OpenVINO is not installed.
            RuntimeError: it is no model that OpenVINO can run.
        """
        program = openvino_for("fp32").Core().read_model(io.BytesIO(data))
        return cls(program, "fp32", "onnx", onnx, threads)

    def infer(self, batch: Tensor) -> Tensor:
        """See `EmbeddingRuntime`."""
        with self._lock:
            outputs = self._request.infer([as_input(batch, self._onnx)], share_inputs=True)
            return torch.from_numpy(np.asarray(outputs[0], np.float32))
