"""ONNX models: ONNX Runtime (`pip install 'dejafake[onnx]'`) where it is installed, OpenVINO otherwise."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from indexer.copies.descriptor.onnx_file import refuse_data_elsewhere
from indexer.copies.descriptor.runtimes.layout import as_input
from indexer.copies.descriptor.runtimes.openvino import OpenVinoRuntime
from indexer.copies.descriptor.runtimes.runtime import EmbeddingRuntime
from indexer.copies.descriptor.spec import OnnxInput
from indexer.detector.runtimes.runtime import RuntimeUnavailableError
from indexer.errors import DetectorError, WeightsRefusedError
from indexer.threads import thread_count


class OnnxRuntime:
    """An ONNX model on ONNX Runtime's CPU provider.

    Raises:
        RuntimeUnavailableError: ONNX Runtime is not installed.
    """

    name = "onnxruntime"
    precision = "onnx"

    def __init__(self, data: bytes, onnx: OnnxInput, threads: int) -> None:
        runtime = _onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = thread_count(threads)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the detector computes in between
        self._session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name
        self._onnx = onnx
        self._lock = threading.Lock()

    def infer(self, batch: Tensor) -> Tensor:
        """See `EmbeddingRuntime`."""
        with self._lock:
            try:
                (output,) = self._session.run([self._output], {self._input: as_input(batch, self._onnx)})
                return torch.from_numpy(np.asarray(output, np.float32))
            except Exception as error:  # its errors have no class of their own in common
                raise RuntimeError(str(error)) from error


def onnx_runtime(weights: Path, data: bytes, onnx: OnnxInput, runtime: str, threads: int) -> EmbeddingRuntime:
    """What runs an ONNX model: OpenVINO where `runtime` is openvino, else ONNX Runtime if it is there, else OpenVINO.

    Args:
        weights: where `data` was read, for errors.

    Raises:
        DetectorError: neither is installed, or the one wanted is not.
        WeightsRefusedError: it is no model that can be run.
    """
    refuse_data_elsewhere(weights, data)
    try:
        if runtime != "openvino":
            try:
                return OnnxRuntime(data, onnx, threads)
            except RuntimeUnavailableError:
                pass
        return OpenVinoRuntime.of_onnx(data, onnx, threads)
    except RuntimeUnavailableError:
        what = "dejafake[openvino]" if runtime == "openvino" else "dejafake[onnx]"
        raise DetectorError(f"an ONNX model needs a runtime that is not installed: pip install '{what}'") from None
    except Exception as error:  # noqa: BLE001 - their errors have no class of their own in common
        reason = " ".join(str(error).split())[:200]
        raise WeightsRefusedError(f"{weights} is not an ONNX model that can be run: {reason}") from None


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise RuntimeUnavailableError("it is not installed: pip install 'dejafake[onnx]'") from None
    return onnxruntime
