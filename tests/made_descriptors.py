"""Real copy descriptors that are small and quick: random numbers in the bundled one's layout, and a tiny ONNX model."""

import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

DIMENSION = 16
SIZE = 32
PREPROCESSING = {
    "size": SIZE,
    "resize": "squeeze",
    "interpolation": "bilinear",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
}
_BLOCK = (("first", 4, 8), ("second", 8, 8), ("carried", 4, 8))


def made_descriptor(folder: Path, *, seed: int = 0, background: int = 0, **changes: object) -> Path:
    """A folder with a descriptor of two stages, widths 4 and 8; every seed gives another one. `background`: how many
    embeddings it ships to compare with; `changes` go into its config.json."""
    random = np.random.default_rng(seed)
    shapes = {"stem.conv.weight": (4, 3, 4, 4), "stem.conv.bias": (4,), "power": ()}
    shapes |= {"head.weight": (DIMENSION, 8), "head.bias": (DIMENSION,)}
    for part in ("first", "second"):
        shapes |= {f"blocks.0.{part}.conv.weight": (4, 4, 3, 3), f"blocks.0.{part}.conv.bias": (4,)}
    for part, inputs, outputs in _BLOCK:
        side = 2 if part == "carried" else 3
        shapes |= {f"blocks.1.{part}.conv.weight": (outputs, inputs, side, side), f"blocks.1.{part}.conv.bias": (8,)}
    tensors = {name: (random.standard_normal(shape) * 0.3).astype(np.float16) for name, shape in shapes.items()}
    tensors["power"] = np.full((), 3, np.float16)
    folder.mkdir(parents=True)
    save_file(tensors, folder / "model.safetensors")
    config: dict[str, object] = {
        "name": folder.name,
        "licence": "MIT",
        "weights_sha256": sha256_of(folder / "model.safetensors"),
        "architecture": {"name": "dejafake_residual", "widths": [4, 8], "depths": [1, 1]},
        "dimension": DIMENSION,
        "preprocessing": PREPROCESSING,
    }
    if background:
        vectors = random.standard_normal((background, DIMENSION))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        save_file({"background": vectors.astype(np.float16)}, folder / "background.safetensors")
        config["background"] = {"sha256": sha256_of(folder / "background.safetensors"), "nearest": 3}
    write_config(folder / "config.json", config | changes)
    return folder


def write_config(path: Path, values: dict[str, object]) -> None:
    """Writes a configuration; keys whose value is None are left out."""
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}), encoding="utf-8")


def edit_config(folder: Path, **changes: object) -> None:
    """Sets keys of a folder's config.json; None removes one."""
    path = folder / "config.json"
    write_config(path, json.loads(path.read_text(encoding="utf-8")) | changes)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def onnx_folder(folder: Path, *, data: bytes | None = None, **changes: object) -> Path:
    """A folder with an ONNX model that takes bytes [N, 32, 32, 3] and gives the mean of each channel in three blocks of
    rows, 9 numbers; `changes` go into its config.json."""
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(tiny_onnx() if data is None else data)
    config: dict[str, object] = {
        "onnx": {"layout": "nhwc", "type": "uint8"},
        "dimension": 9,
        "preprocessing": {"size": 32, "resize": "squeeze", "interpolation": "bilinear"},
    }
    write_config(folder / "config.json", config | changes)
    return folder


def tiny_onnx(*, kept_in: str | None = None) -> bytes:
    """The bytes of that model (onnx.proto: IR 8, opset 13): Cast, Reshape to [N, 3072], MatMul with a table
    [3072, 9]; `kept_in`: the table is said to be in that file."""
    table = np.zeros((32, 32, 3, 3, 3), np.float32)
    for row in range(32):
        for channel in range(3):
            table[row, :, channel, min(row // 11, 2), channel] = 1 / 1024
    matrix = _tensor("table", (3072, 9), 1, table.reshape(3072, 9).tobytes(), kept_in)
    shape = _tensor("shape", (2,), 7, np.array([-1, 3072], np.int64).tobytes())
    graph = (
        _node("Cast", ["image"], "pixels", _text(1, "to") + _number(3, 1) + _number(20, 2))
        + _node("Reshape", ["pixels", "shape"], "flat")
        + _node("MatMul", ["flat", "table"], "embedding")
        + _text(2, "tiny")
        + _bytes(5, matrix)
        + _bytes(5, shape)
        + _bytes(11, _value("image", 2, ("n", 32, 32, 3)))
        + _bytes(12, _value("embedding", 1, ("n", 9)))
    )
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, 13))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _node(kind: str, inputs: list[str], output: str, attribute: bytes | None = None) -> bytes:
    node = b"".join(_text(1, one) for one in inputs) + _text(2, output) + _text(4, kind)
    return _bytes(1, node + (b"" if attribute is None else _bytes(5, attribute)))


def _tensor(name: str, dims: tuple[int, ...], kind: int, raw: bytes, kept_in: str | None = None) -> bytes:
    head = b"".join(_number(1, side) for side in dims) + _number(2, kind) + _text(8, name)
    if kept_in is None:
        return head + _bytes(9, raw)
    return head + _bytes(13, _text(1, "location") + _text(2, kept_in)) + _number(14, 1)


def _value(name: str, kind: int, dims: tuple[int | str, ...]) -> bytes:
    shape = b"".join(_bytes(1, _text(2, one) if isinstance(one, str) else _number(1, one)) for one in dims)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, shape)))
