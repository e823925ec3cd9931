"""What `benchmarks.extraction` measures beside dejafake: other ways to run the same weights, and what limits all."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from indexer.arrays import Floats

Forward = Callable[[Floats], object]
FromFiles = Callable[[Sequence[Path]], object]

TOKENS, WIDTH, HEADS, BLOCKS = 577, 384, 6, 12
PRODUCTS = ((WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, 4 * WIDTH), (4 * WIDTH, WIDTH))
"""Columns in and out of the linear layers of one block."""


def transformers_pipeline(folder: Path, batch: int) -> FromFiles:
    """The pipeline that a model card tells people to use, fp32."""
    from transformers import pipeline

    classify = pipeline(
        "image-classification", model=str(folder), image_processor=str(folder), device="cpu", batch_size=batch
    )
    return lambda paths: classify([str(path) for path in paths], function_to_apply="sigmoid")


def timm_loop(model: nn.Module, prepare: Callable[[Image.Image], Floats], batch: int) -> FromFiles:
    """timm's model, eager in fp32, in a plain loop: open, prepare, stack, forward."""

    def run(paths: Sequence[Path]) -> object:
        outputs = []
        for start in range(0, len(paths), batch):
            pictures = [Image.open(path).convert("RGB") for path in paths[start : start + batch]]
            with torch.inference_mode():
                outputs.append(model(torch.from_numpy(np.stack([prepare(picture) for picture in pictures]))))
        return outputs

    return run


def bare_forwards(model: nn.Module, folder: Path, batch: int) -> Mapping[str, Forward]:
    """The bare forward passes of the peers that are installed, by name; each takes [batch, 3, 384, 384]."""
    forwards: dict[str, Forward] = {"timm eager fp32": lambda pixels: _eager(model, pixels)}
    with suppress(ImportError):
        forwards["ONNX Runtime fp32"] = _onnxruntime(model, folder / f"bare-{batch}.onnx", batch)
    with suppress(ImportError):
        forwards["OpenVINO fp32"] = _openvino(model, "f32", batch)
        forwards["OpenVINO bf16"] = _openvino(model, "bf16", batch)
    return forwards


def products_alone(batch: int) -> Mapping[str, Callable[[], object]]:
    """The matrix products of a forward pass and nothing else, on weights in oneDNN's layout: no ViT can be faster."""
    return {f"products alone {name}": _products(batch, dtype) for name, dtype in _TYPES.items()}


_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def _eager(model: nn.Module, pixels: Floats) -> object:
    with torch.inference_mode():
        return model(torch.from_numpy(pixels))


def _onnxruntime(model: nn.Module, path: Path, batch: int) -> Forward:
    import onnxruntime

    torch.onnx.export(model, (torch.zeros(batch, 3, 384, 384),), str(path), input_names=["pixels"], dynamo=False)
    session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixels": pixels})


def _openvino(model: nn.Module, precision: str, batch: int) -> Forward:
    import openvino

    program = openvino.convert_model(model, example_input=torch.zeros(batch, 3, 384, 384))
    program.reshape([batch, 3, 384, 384])
    compiled = openvino.Core().compile_model(program, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    request = compiled.create_infer_request()
    return lambda pixels: request.infer([pixels], share_inputs=True)


def _products(batch: int, dtype: torch.dtype) -> Callable[[], object]:
    rows = batch * TOKENS
    layers = [
        (
            torch.randn(rows, taken).to(dtype),
            torch.ops.mkldnn._reorder_linear_weight(torch.randn(given, taken).to(dtype), rows),
        )
        for taken, given in PRODUCTS
    ]
    queries = torch.randn(batch * HEADS, TOKENS, WIDTH // HEADS).to(dtype)
    weights = torch.randn(batch * HEADS, TOKENS, TOKENS).to(dtype)

    def run() -> None:
        with torch.inference_mode():
            for _ in range(BLOCKS):
                for tokens, weight in layers:
                    torch.ops.mkldnn._linear_pointwise(tokens, weight, None, "none", [], "")
                torch.bmm(queries, queries.transpose(1, 2))
                torch.bmm(weights, queries)

    return run
