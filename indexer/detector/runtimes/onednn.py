"""torch with the blocks' linear layers run by oneDNN, on weights laid out once for it, GELU fused into the product.

torch sends fp32 products to MKL, which on processors other than Intel's reaches half the speed of oneDNN, and lays bf16
weights out anew in each pass. The operators are those that torch's own compiler emits; no compiler is needed to call
them. In bf16 only the products of the blocks are: the patch embedding, LayerNorms, attention, the residual stream
and the head stay fp32, which is as fast and keeps p(fake) near that of fp32.
"""

import copy
import threading
from typing import cast

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from indexer.detector.runtime import DTYPES
from indexer.detector.runtimes.runtime import Outputs, RuntimeUnavailableError
from indexer.detector.spec import PATCHES

_OPERATORS = ("_linear_pointwise", "_reorder_linear_weight", "_is_mkldnn_bf16_supported")


class OneDnnRuntime:
    """The network on oneDNN, in `fp32` or `bf16`.

    Args:
        model: in fp32 on the CPU; not changed.
        precision: of the products in the blocks.
        batch_size: the size the weights are laid out for; any other works.

    Raises:
        RuntimeUnavailableError: torch was built without oneDNN, or the processor has no instructions for bf16.
    """

    name = "onednn"

    def __init__(self, model: VisionTransformer, precision: str, batch_size: int) -> None:
        _require(precision)
        self.precision = precision
        self._model = copy.deepcopy(model)
        self._lock = threading.Lock()
        rows, dtype = batch_size * (PATCHES + 1), DTYPES[precision]
        for block in self._model.blocks.children():
            attention, mlp = cast(nn.Module, block.attn), cast(nn.Module, block.mlp)
            if not isinstance(mlp.act, nn.GELU) or mlp.act.approximate != "none":
                raise RuntimeUnavailableError("the blocks use another activation than GELU")
            attention.qkv = _Packed(cast(nn.Linear, attention.qkv), dtype, rows, gives=torch.float32)
            attention.proj = _Packed(cast(nn.Linear, attention.proj), dtype, rows, gives=torch.float32)
            mlp.fc1 = _Packed(cast(nn.Linear, mlp.fc1), dtype, rows, gives=dtype, gelu=True)
            mlp.act = nn.Identity()
            mlp.fc2 = _Packed(cast(nn.Linear, mlp.fc2), dtype, rows, gives=torch.float32)

    def infer(self, batch: Tensor) -> Outputs:
        """One forward pass of `batch` [N, 3, 384, 384], float32 on the CPU, N at least 1."""
        with self._lock, torch.inference_mode():
            tokens = self._model.forward_features(batch)
            return Outputs(self._model.forward_head(tokens), tokens[:, 0].clone())


class _Packed(nn.Module):
    """A linear layer on weights in oneDNN's layout; `gives` is the type of what leaves it."""

    def __init__(
        self, layer: nn.Linear, dtype: torch.dtype, rows: int, *, gives: torch.dtype, gelu: bool = False
    ) -> None:
        super().__init__()
        self._dtype, self._gives = dtype, gives
        self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().to(dtype), rows)
        self._bias = None if layer.bias is None else layer.bias.detach().to(dtype)
        self._then, self._algorithm = ("gelu", "none") if gelu else ("none", "")

    def forward(self, tokens: Tensor) -> Tensor:
        output: Tensor = torch.ops.mkldnn._linear_pointwise(
            tokens.to(self._dtype), self._weight, self._bias, self._then, [], self._algorithm
        )
        return output.to(self._gives)


def _require(precision: str) -> None:
    if not torch._C._has_mkldnn or not all(hasattr(torch.ops.mkldnn, name) for name in _OPERATORS):
        raise RuntimeUnavailableError("this build of torch has no oneDNN")
    if precision == "bf16" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        raise RuntimeUnavailableError("this processor has no instructions for bf16")
    if precision not in ("fp32", "bf16"):
        raise RuntimeUnavailableError(f"it does not run in {precision}")
