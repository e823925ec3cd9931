"""The weights file: safetensors only, its digest, and whether its keys and shapes are exactly those expected.

Works on the file's header, without torch. The names of the expected tensors are timm's `VisionTransformer`'s; a layout
says under which names a file holds them.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from safetensors import SafetensorError, safe_open

from indexer.detector.spec import PATCH_SIZE, PATCHES, Architecture
from indexer.errors import WeightsRefusedError
from indexer.vocabulary import EMBEDDING_SIZE

Shape: TypeAlias = tuple[int, ...]
KeyMap: TypeAlias = Mapping[str, tuple[str, ...]]
"""For each tensor of the model, the tensors of the file that make it when laid end to end along axis 0."""

WEIGHTS_FILE: Final = "model.safetensors"
PICKLE_SUFFIXES: Final = frozenset({".bin", ".pth", ".pt", ".ckpt", ".pkl", ".pickle", ".npz", ".h5", ".msgpack"})
_FLOAT_TYPES: Final = frozenset({"F64", "F32", "F16", "BF16"})


def model_shapes(architecture: Architecture, classes: int) -> dict[str, Shape]:
    """Every tensor of the model and its shape."""
    width, mlp = EMBEDDING_SIZE, architecture.mlp_width
    shapes: dict[str, Shape] = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, PATCHES + 1, width),
        **_patch_embedding_shapes(architecture.conv_stem),
    }
    for index in range(architecture.depth):
        block = f"blocks.{index}."
        shapes |= {block + "norm1.weight": (width,), block + "norm1.bias": (width,)}
        shapes[block + "attn.qkv.weight"] = (3 * width, width)
        if architecture.qkv_bias:
            shapes[block + "attn.qkv.bias"] = (3 * width,)
        shapes |= {block + "attn.proj.weight": (width, width), block + "attn.proj.bias": (width,)}
        shapes |= {block + "norm2.weight": (width,), block + "norm2.bias": (width,)}
        shapes |= {block + "mlp.fc1.weight": (mlp, width), block + "mlp.fc1.bias": (mlp,)}
        shapes |= {block + "mlp.fc2.weight": (width, mlp), block + "mlp.fc2.bias": (width,)}
    shapes |= {"norm.weight": (width,), "norm.bias": (width,)}
    shapes |= {"head.weight": (classes, width), "head.bias": (classes,)}
    return shapes


def _patch_embedding_shapes(conv_stem: tuple[tuple[int, int], ...]) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    before, side = 3, PATCH_SIZE
    for index, (channels, _stride) in enumerate(conv_stem):
        layer = f"patch_embed.stem.{index}."
        shapes |= {layer + "weight": (channels, before, 3, 3), layer + "bias": (channels,)}
        before, side = channels, 1
    return shapes | {
        "patch_embed.proj.weight": (EMBEDDING_SIZE, before, side, side),
        "patch_embed.proj.bias": (EMBEDDING_SIZE,),
    }


def find_weights(folder: Path) -> Path:
    """The weights file in `folder`.

    Raises:
        WeightsRefusedError: there is none, or only one in a format that can run code when read.
    """
    path = folder / WEIGHTS_FILE
    if path.is_file():
        return path
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise WeightsRefusedError(f"{folder} cannot be read: {error.strerror}") from None
    pickles = [name for name in names if Path(name).suffix.lower() in PICKLE_SUFFIXES]
    if pickles:
        raise WeightsRefusedError(
            f"{pickles[0]} in {folder} is refused: reading such a file can run code hidden in it. "
            f"Convert it to {WEIGHTS_FILE} on a machine you can afford to lose"
        )
    if f"{WEIGHTS_FILE}.index.json" in names:
        raise WeightsRefusedError(f"the weights in {folder} are in several parts: save them as one {WEIGHTS_FILE}")
    raise WeightsRefusedError(f"no {WEIGHTS_FILE} in {folder}")


def digest(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits; read now, never from a cache."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsRefusedError(f"{path} cannot be read: {error.strerror}") from None


def check_shapes(path: Path, expected: Mapping[str, Shape], keys: KeyMap) -> None:
    """Refuses a file whose tensors are not exactly those `expected` under the names `keys` gives them.

    Raises:
        WeightsRefusedError: no safetensors file; a missing, extra or non-floating tensor, or one of another shape. The
            first of each kind is named, as the file names it.
    """
    required = {source: _part_of(shape, len(keys[name])) for name, shape in expected.items() for source in keys[name]}
    actual, types = _read_header(path)
    complaints = []
    if missing := [key for key in required if key not in actual]:
        complaints.append(f"{len(missing)} missing (first: {missing[0]})")
    if extra := [key for key in actual if key not in required]:
        complaints.append(f"{len(extra)} not expected (first: {_shorten(extra[0])})")
    if other := [key for key in required if key in actual and actual[key] != required[key]]:
        first = other[0]
        complaints.append(
            f"{len(other)} of another shape (first: {first} is {list(actual[first])}, expected {list(required[first])})"
        )
    if complaints:
        raise WeightsRefusedError(
            f"the tensors of {path.name} are not those of its configuration: " + "; ".join(complaints)
        )
    for key, kind in types.items():
        if kind not in _FLOAT_TYPES:
            raise WeightsRefusedError(f"{path.name}: {key} holds {kind}, but weights must be floating-point numbers")


def _part_of(shape: Shape, parts: int) -> Shape:
    """The shape of each of `parts` equal parts along axis 0."""
    return shape if parts == 1 else (shape[0] // parts, *shape[1:])


def common_prefix(path: Path, anchor: str) -> str:
    """What stands before `anchor` (a tensor every model has) in the names of the file: `vit.`, or nothing.

    Raises:
        WeightsRefusedError: no name, or more than one, ends in `anchor`.
    """
    names = list(_names_ending(_read_header(path)[0], anchor))
    if len(names) != 1:
        raise WeightsRefusedError(f"{path.name} holds {len(names)} tensors named {anchor}, but must hold one")
    return names[0].removesuffix(anchor)


def _names_ending(names: Iterable[str], anchor: str) -> Iterable[str]:
    return (name for name in names if name == anchor or name.endswith("." + anchor))


def _read_header(path: Path) -> tuple[dict[str, Shape], dict[str, str]]:
    """Shapes and element types by name; the tensors themselves are not read."""
    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            shapes = {name: tuple(int(side) for side in part.get_shape()) for name, part in slices.items()}
            return shapes, {name: str(part.get_dtype()) for name, part in slices.items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsRefusedError(f"{path} is not a whole safetensors file ({_shorten(str(error))})") from None


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 100 else text[:97] + "..."
