"""What the trained network is compared with, on the very same queries: PDQ, the bundled detector's embedding, and
models of bytes in ONNX, such as SSCD."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from indexer.arrays import Vectors
from indexer.copies.descriptor.training.pictures import Pixels
from indexer.copies.descriptor.training.supply import squeezed
from indexer.copies.descriptor.training.validation import Embed
from indexer.detector import load_detector
from indexer.errors import UsageError
from indexer.imaging.hashing import pdq_hash
from indexer.settings import Settings

_AT_ONCE, _SIDE = 8, 320


def pdq(pictures: list[Pixels]) -> Vectors:
    """PDQ hashes as unit vectors [N, 256]: their cosine falls as the distance grows."""
    bits = [np.unpackbits(np.frombuffer(pdq_hash(Image.fromarray(pixels)).bits, np.uint8)) for pixels in pictures]
    return np.asarray((np.stack(bits).astype(np.float32) * 2 - 1) / 16, np.float32)


def detector(settings: Settings) -> Embed:
    """The embedding of the detector that the settings name."""
    loaded = load_detector(settings)

    def embed(pictures: list[Pixels]) -> Vectors:
        batches = []
        for start in range(0, len(pictures), _AT_ONCE):
            prepared = [loaded.prepare(Image.fromarray(pixels)) for pixels in pictures[start : start + _AT_ONCE]]
            batches.append(loaded.run(np.stack(prepared)).embeddings)
        return np.concatenate(batches)

    return embed


def onnx_model(path: Path) -> Embed:
    """An ONNX model of bytes [N, 320, 320, 3], as SSCD is, run by OpenVINO.

    Raises:
        UsageError: OpenVINO is not installed, or it cannot run the model.
    """
    try:
        import openvino

        core = openvino.Core()
        program: Any = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_NUM_THREADS": 1})
    except (ImportError, RuntimeError) as error:
        raise UsageError(f"{path} cannot be run: {str(error).splitlines()[0]}") from None

    def embed(pictures: list[Pixels]) -> Vectors:
        rows = [program(squeezed(pixels, _SIDE)[None])[0][0] for pixels in pictures]
        vectors = np.stack(rows).astype(np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    return embed
