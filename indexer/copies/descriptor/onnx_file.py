"""Whether an ONNX file is whole in itself. One may name other files for its numbers, which nobody has verified.

Reads no more of the format (protocol buffers) than the way to every tensor (onnx.proto, ONNX 1.19).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from indexer.errors import WeightsRefusedError

_WAYS: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""For each kind of message, the fields that lead to tensors, and what they hold."""
_EXTERNAL_DATA: Final = 13
_DATA_LOCATION: Final = 14
_DEEPEST: Final = 40


def refuse_data_elsewhere(path: Path, data: bytes) -> None:
    """Refuses an ONNX model whose numbers are in other files.

    Raises:
        WeightsRefusedError: they are, or `data` is no ONNX model.
    """
    try:
        elsewhere = _elsewhere(memoryview(data), "model", 0)
    except (ValueError, IndexError):
        raise WeightsRefusedError(f"{path} is not a whole ONNX model") from None
    if elsewhere:
        raise WeightsRefusedError(f"{path} keeps its numbers in another file: save it as one file")


def _elsewhere(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    for number, value in _fields(message):
        if kind == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)):
            return True
        inner = _WAYS[kind].get(number)
        if inner is not None and isinstance(value, memoryview) and _elsewhere(value, inner, depth + 1):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message: their numbers, and their values where those are whole numbers or messages."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _varint(message, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError("not a field")
        if at + length > len(message):
            raise ValueError("cut off")
        if wire == 2:
            yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("not a number")
