"""OpenVINO, an optional part (`pip install 'dejafake[openvino]'`): converted in memory from the loaded model.

The patch embedding is a program of its own that stays fp32: in bf16 it makes nearly all of the difference in p(fake).
"""

import copy
import threading
import warnings
from typing import Any

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from indexer.detector.runtimes.runtime import Outputs, RuntimeUnavailableError
from indexer.detector.spec import IMAGE_SIZE, PATCHES
from indexer.threads import thread_count
from indexer.vocabulary import EMBEDDING_SIZE

_HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoRuntime:
    """The network on OpenVINO's CPU plugin, in `fp32` or `bf16`.

    Args:
        model: in fp32 on the CPU; not changed.
        precision: of the blocks.
        threads: compute threads; 0: one per core.

    Raises:
        RuntimeUnavailableError: OpenVINO is not installed, or the processor has no instructions for bf16.
    """

    name = "openvino"

    def __init__(self, model: VisionTransformer, precision: str, threads: int) -> None:
        openvino = openvino_for(precision)
        self.precision = precision
        self._lock = threading.Lock()

        def ready(part: nn.Module, example: Tensor, form: str) -> Any:
            with warnings.catch_warnings(), torch.inference_mode():
                warnings.simplefilter("ignore")  # of torch's tracer, which OpenVINO calls
                program = openvino.convert_model(part, example_input=example)
            return compiled(program, form, threads)

        self._stem = ready(model.patch_embed, torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE), "fp32")
        self._trunk = ready(_Trunk(model), torch.zeros(1, PATCHES, EMBEDDING_SIZE), precision)

    def infer(self, batch: Tensor) -> Outputs:
        """One forward pass of `batch` [N, 3, 384, 384], float32 on the CPU, N at least 1."""
        with self._lock:
            patches = self._stem.infer([batch.contiguous().numpy()], share_inputs=True, share_outputs=True)
            outputs = self._trunk.infer([patches[0]], share_inputs=True)
            return Outputs(torch.from_numpy(outputs[0]), torch.from_numpy(outputs[1]))


class _Trunk(nn.Module):
    """All of the network behind the patch embedding: [N, 576, 384] -> logits [N, C], CLS [N, 384]."""

    def __init__(self, model: VisionTransformer) -> None:
        super().__init__()
        self.model = copy.copy(model)
        self.model._modules = {**model._modules, "patch_embed": nn.Identity()}

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.model.forward_features(patches)
        return self.model.forward_head(tokens), tokens[:, 0]


def openvino_for(precision: str) -> Any:
    """The package, where it runs `precision` on this processor.

    Raises:
        RuntimeUnavailableError: it is not installed, or the processor has no instructions for that.
    """
    try:
        import openvino
    except ImportError:
        raise RuntimeUnavailableError("it is not installed: pip install 'dejafake[openvino]'") from None
    if precision not in _HINTS:
        raise RuntimeUnavailableError(f"it does not run in {precision}")
    if precision == "bf16" and "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise RuntimeUnavailableError("this processor has no instructions for bf16")
    return openvino


def compiled(program: Any, precision: str, threads: int) -> Any:
    """A request to infer with `program` on the CPU, in `precision`, on `threads` compute threads (0: one per core)."""
    options = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": thread_count(threads),
        "ENABLE_CPU_PINNING": False,  # several processes would all be pinned to the same first cores
    }
    return openvino_for(precision).Core().compile_model(program, "CPU", options).create_infer_request()
