"""Reads one head from its folder and checks all of it before use. Nothing is unpickled."""

import hashlib
import json
import stat
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.numpy import load

from indexer.arrays import Floats
from indexer.errors import WeightsRefusedError
from indexer.heads.head import FORMAT, MAX_CLASSES, MAX_TEXT, Head, HeadDescription, weights_shape

DESCRIPTION = "head.json"
WEIGHTS = "head.safetensors"
_MAX_BYTES = {DESCRIPTION: 16 << 20, WEIGHTS: 4 << 20}
_DESCRIPTION = TypeAdapter(HeadDescription)


def read_head(folder: Path, detector_fingerprint: str) -> Head:
    """The head in `folder`, checked; read again if another head replaces it meanwhile.

    Raises:
        WeightsRefusedError: its files are damaged, were changed, or are of another detector.
    """
    while True:
        described = _bytes(folder / DESCRIPTION)
        try:
            return _described(folder, detector_fingerprint, described)
        except WeightsRefusedError:
            if _bytes(folder / DESCRIPTION) == described:
                raise


def _described(folder: Path, detector: str, described: bytes) -> Head:
    name = folder.name
    try:
        document = json.loads(described)
        description = _DESCRIPTION.validate_python(document)
        mark = description.fingerprint
    except (ValueError, RecursionError) as error:  # also of pydantic and of the decoder
        wrong = str(error).splitlines()[0][:120]
        raise _refused(name, f"{DESCRIPTION} is not the description of a head ({wrong})") from None
    if document.get("fingerprint") != mark:
        raise _refused(name, "its description was changed: its fingerprint is another")
    _check(name, detector, description)
    own = folder / weights_name(description.weights_sha256)
    data = _bytes(own if own.exists() else folder / WEIGHTS)
    if hashlib.sha256(data).hexdigest() != description.weights_sha256:
        raise _refused(name, f"the digest of {WEIGHTS} is not the one in its description: it was changed")
    weights, bias = _tensors(name, data, len(description.classes))
    return Head(description, mark, weights, bias)


def _check(name: str, detector: str, description: HeadDescription) -> None:
    if description.format != FORMAT:
        raise _refused(name, f"it is of format {description.format}, and this version reads {FORMAT}")
    if description.name != name:
        raise _refused(name, "its description names another head: it was copied or moved")
    if description.detector_fingerprint != detector:
        raise _refused(
            name, f"it belongs to the detector {description.detector_fingerprint[:16]!r}, not to the one in use"
        )
    names = [entry.name for entry in description.classes]
    if not 2 <= len(names) <= MAX_CLASSES or len(set(names)) != len(names):
        raise _refused(name, f"a head has 2 to {MAX_CLASSES} different classes")
    if not all(1 <= len(text) <= MAX_TEXT for text in (*names, description.trained_on)):
        raise _refused(name, f"its names are not texts of 1 to {MAX_TEXT} characters")
    if [len(row) for row in description.confusion] != [len(names)] * len(names):
        raise _refused(name, "its confusion table is not one row and column a class")


def weights_name(digest: str) -> str:
    """The name of the weights file of a head that replaced another: it carries the weights' digest."""
    return f"head-{digest[:32]}.safetensors" if len(digest) == 64 and digest.isalnum() else WEIGHTS


def _refused(name: str, why: str) -> WeightsRefusedError:
    return WeightsRefusedError(
        f"the head {name} is not used: {why}; remove it with `dejafake head remove {name}` and train it again"
    )


def _bytes(path: Path) -> bytes:
    """The bytes of a regular file, up to a size limit."""
    name = path.parent.name
    try:
        facts = path.lstat()
        most = _MAX_BYTES[DESCRIPTION if path.name == DESCRIPTION else WEIGHTS]
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most:
            raise _refused(name, f"{path.name} is not a plain file of at most {most:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise _refused(name, f"{path.name} cannot be read ({error.strerror or error})") from None


def _tensors(name: str, data: bytes, classes: int) -> tuple[Floats, Floats]:
    try:
        tensors = load(data)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _refused(name, f"{WEIGHTS} is not a safetensors file ({str(error)[:80]})") from None
    if {key: tensor.shape for key, tensor in tensors.items()} != weights_shape(classes):
        raise _refused(name, f"its tensors do not have the shapes of a head of {classes} classes")
    if any(tensor.dtype != np.float32 or not np.isfinite(tensor).all() for tensor in tensors.values()):
        raise _refused(name, "its numbers are not finite float32")
    return tensors["weights"], tensors["bias"]
