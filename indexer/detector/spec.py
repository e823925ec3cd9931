"""What a detector is, as data: where its weights are, its shape, its preprocessing, its head, its licence and limits.

Nothing here reads a file or computes a picture. The fingerprint of a detector is defined here.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

"""Numbers in one embedding; the width of every detector dejafake accepts."""
IMAGE_SIZE: Final = 384
"""Side of the square a detector sees, in pixels."""
PATCH_SIZE: Final = 16
"""Side of one patch, in pixels."""
GRID: Final = IMAGE_SIZE // PATCH_SIZE
"""Patches along one side: 24."""
PATCHES: Final = GRID**2
"""Patches in a picture: 576. With the CLS token the model works on 577 tokens."""


DEFAULT_MIN_COSINE: Final = 0.9
"""Smallest cosine of two embeddings that counts as the same origin where nobody has measured one."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Shape of a pre-norm vision transformer, 384 wide, 384 px, patch 16, with a CLS token (Dosovitskiy et al., ICLR
    2021, arXiv 2010.11929). `name` is timm's where timm has one.

    `conv_stem`: (channels, stride) of the 3x3 convolutions, each followed by a ReLU, that come before a 1x1 convolution
    to 384 and make the patches instead of one 16x16 convolution (Xiao et al., NeurIPS 2021, arXiv 2106.14881). The
    product of the strides is 16; empty means the one 16x16 convolution.
    """

    name: str
    depth: int
    heads: int
    mlp_width: int
    layer_norm_eps: float = 1e-6
    qkv_bias: bool = True
    conv_stem: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an upright 8-bit RGB picture becomes the model's input.

    `resize_shortest`: length of the shorter side after resizing, in pixels, the picture keeping its proportions; None
    squeezes it to `crop` x `crop`. `resample` is Pillow's number (2 bilinear, 3 bicubic). Then the central `crop` x
    `crop` pixels are taken, multiplied by `rescale`, and normalised by channel: (value - mean) / std.
    """

    resize_shortest: int | None
    resample: int
    crop: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    rescale: float = 1 / 255


@dataclass(frozen=True, slots=True)
class Head:
    """How logits become p(fake). `sigmoid`: one logit; `softmax`: two or more, of which `fake_index` says fake.
    `classes` are the labels as the weights' own configuration words them."""

    kind: Literal["sigmoid", "softmax"]
    fake_index: int
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """Everything there is to say about a detector.

    `repository` and `revision` name its place on the model hub, None for weights that are local or made here.
    `sha256` (hex) and `byte_size` are of `filename`; `sha256` None means that nobody vouches for the weights.
    `trained` False: the outputs carry no information about fakeness, p(fake) is not to be shown.
    `same_origin_min_cosine` counts until a setting or a calibration says otherwise.
    """

    name: str
    summary: str
    repository: str | None
    revision: str | None
    filename: str
    sha256: str | None
    byte_size: int | None
    architecture: Architecture
    preprocessing: Preprocessing
    head: Head
    licence: str
    trained: bool
    limits: tuple[str, ...]
    same_origin_min_cosine: float = DEFAULT_MIN_COSINE

    def as_json(self) -> dict[str, Any]:
        """The spec as plain JSON values, for the catalogue and for `--json`."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def fingerprint(weights_sha256: str, architecture: Architecture, preprocessing: Preprocessing, head: Head) -> str:
    """SHA-256 (64 hex digits) over canonical JSON of weights, preprocessing and head.

    The weights are their digest plus what changes what they compute without changing their shapes: attention heads,
    LayerNorm epsilon and, where there is a convolutional stem, its strides. Equal fingerprints mean comparable
    embeddings; others are never mixed.
    """
    weights: dict[str, Any] = {
        "sha256": weights_sha256,
        "heads": architecture.heads,
        "layer_norm_eps": architecture.layer_norm_eps,
    }
    if architecture.conv_stem:
        weights["conv_stem"] = architecture.conv_stem
    parts = {
        "weights": weights,
        "preprocessing": asdict(preprocessing),
        "head": asdict(head),
    }
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
