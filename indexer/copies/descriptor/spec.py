"""What a copy descriptor is, as data: its network, preprocessing, dimension, what it was measured to mean, its licence.

Nothing here reads a file or computes a picture. The fingerprint of a copy descriptor is defined here.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from indexer.detector.spec import Preprocessing

NORMALISATION: Final = "l2"
"""What is done to the network's output: divided by its length."""


@dataclass(frozen=True, slots=True)
class OnnxInput:
    """What an ONNX model takes: pictures [N, 3, S, S] (`nchw`) or [N, S, S, 3] (`nhwc`) of numbers of `type`."""

    layout: Literal["nchw", "nhwc"]
    type: Literal["float32", "uint8"]


@dataclass(frozen=True, slots=True)
class BackgroundSpec:
    """The background that ships with a descriptor: the SHA-256 (hex) of its file, and of how many of its nearest
    embeddings the mean cosine is taken."""

    sha256: str
    nearest: int


@dataclass(frozen=True, slots=True)
class DescriptorSpec:
    """Everything there is to say about a copy descriptor.

    `sha256` (hex) is what the weights must have; None means that nobody vouches for them. `architecture` is what the
    network is built from; empty for an ONNX model, which has an `onnx` input instead. `dimension`: numbers in one
    embedding. `trained` False: its embeddings carry no information.

    `likely_copy_min_score`: the least score (cosine, less the background's level) from which a picture may be called
    a likely copy by this descriptor alone; `likely_copy_false_match_rate`: the upper bound, at 95 %, of the share of
    pictures whose nearest of unrelated ones reaches it, measured with `likely_copy_strangers` pictures. All None:
    nobody measured it, and nothing may be claimed by the descriptor alone.
    """

    name: str
    summary: str
    sha256: str | None
    byte_size: int
    architecture: Mapping[str, Any]
    onnx: OnnxInput | None
    dimension: int
    preprocessing: Preprocessing
    licence: str
    trained: bool
    limits: tuple[str, ...]
    background: BackgroundSpec | None
    likely_copy_min_score: float | None
    likely_copy_false_match_rate: float | None
    likely_copy_strangers: int | None

    def as_json(self) -> dict[str, Any]:
        """The spec as plain JSON values, for the catalogue and for `--json`."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def fingerprint(spec: DescriptorSpec, weights_sha256: str) -> str:
    """SHA-256 (64 hex digits) over canonical JSON of all that decides an embedding: the weights' digest, the
    architecture or ONNX input, preprocessing, dimension and normalisation. Equal fingerprints mean comparable
    embeddings; others are never mixed."""
    parts = {
        "weights": weights_sha256,
        "architecture": spec.architecture,
        "onnx": None if spec.onnx is None else asdict(spec.onnx),
        "preprocessing": asdict(spec.preprocessing),
        "dimension": spec.dimension,
        "normalisation": NORMALISATION,
    }
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
