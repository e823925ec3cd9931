"""`dejafake-small`, the detector that needs no download: its spec, and making its files at first use.

Its numbers come from `untrained`; the digest of the finished file is pinned here.
"""

import hashlib
import json
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from indexer.detector.spec import EMBEDDING_SIZE, IMAGE_SIZE, Architecture, DetectorSpec, Head, Preprocessing
from indexer.detector.untrained import untrained_weights
from indexer.detector.weights import WEIGHTS_FILE, model_shapes
from indexer.errors import WeightsRefusedError, WeightsUnavailableError

SPEC: Final = DetectorSpec(
    name="dejafake-small",
    summary="An untrained small vision transformer with fixed random weights. Its embeddings tell pictures apart by "
    "what they show; they say nothing about fakeness.",
    repository=None,
    revision=None,
    filename=WEIGHTS_FILE,
    sha256="8b4941d6541eefa83a943909cccba50783f7449ba697e5197562256d2cd8b2cf",
    byte_size=30_470_084,
    architecture=Architecture("vit_small_patch16_384", depth=4, heads=6, mlp_width=1536),
    preprocessing=Preprocessing(
        resize_shortest=IMAGE_SIZE,
        resample=3,
        crop=IMAGE_SIZE,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    ),
    head=Head("sigmoid", 0, ("fake",)),
    licence="MIT",
    trained=False,
    limits=(
        "untrained: its logit means nothing, and no verdict is given with it",
        "its embeddings group pictures that look alike, not pictures of one generator",
        "the centre crop does not see the border of a picture",
    ),
)


def make(folder: Path) -> None:
    """Makes the weights and configuration of `dejafake-small` in `folder`, in one step and once, however many processes
    ask.

    Raises:
        WeightsUnavailableError: the place cannot be written, or the disk is full.
        WeightsRefusedError: this machine makes other bytes than those pinned.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock")):
            if not folder.is_dir():
                _make(folder)
    except OSError as error:
        raise WeightsUnavailableError(
            f"the bundled detector cannot be made in {folder.parent}: {error.strerror or error}: "
            "set DEJAFAKE_MODELS_DIR to a folder that can be written"
        ) from None


def weights_bytes() -> bytes:
    """The weights file: safetensors, written here because its digest must not depend on a library's version."""
    tensors = untrained_weights(SPEC.architecture.depth)
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    parts, end = [], 0
    for name, shape in model_shapes(SPEC.architecture, 1).items():
        data = tensors[name].astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + len(data)]}
        end += len(data)
        parts.append(data)
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return b"".join([struct.pack("<Q", len(head)), head, *parts])


def _make(folder: Path) -> None:
    data = weights_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SPEC.sha256:
        raise WeightsRefusedError(
            f"this machine makes weights with SHA-256 {found} for {SPEC.name}, not {SPEC.sha256}: their arithmetic "
            "differs here, please report it; another detector can be used with DEJAFAKE_DETECTOR"
        )
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
    try:
        (staging / WEIGHTS_FILE).write_bytes(data)
        (staging / "config.json").write_text(json.dumps(_configuration(), indent=1) + "\n", encoding="utf-8")
        staging.chmod(0o755)
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _configuration() -> dict[str, Any]:
    """config.json in timm's layout."""
    preprocessing = SPEC.preprocessing
    return {
        "architecture": SPEC.architecture.name,
        "num_classes": 1,
        "num_features": EMBEDDING_SIZE,
        "global_pool": "token",
        "model_args": {"depth": SPEC.architecture.depth},
        "label_names": list(SPEC.head.classes),
        "trained": SPEC.trained,
        "pretrained_cfg": {
            "input_size": [3, IMAGE_SIZE, IMAGE_SIZE],
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": list(preprocessing.mean),
            "std": list(preprocessing.std),
            "license": SPEC.licence.lower(),
        },
    }
