"""Golden outputs: before a detector is used, it must reproduce stored outputs for two generated pictures, within a
tolerance.

This catches what a digest cannot: a library version, device or precision that computes something else.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image

from indexer.arrays import Floats, Reals
from indexer.detector import bundled
from indexer.detector.configuration import Configuration
from indexer.detector.preprocessing import prepare
from indexer.detector.spec import Preprocessing
from indexer.errors import DetectorError, WeightsRefusedError

GOLDEN_FILE: Final = "golden.json"
CLS_VALUES: Final = 32
"""How many leading numbers of each CLS embedding are compared."""
TOLERANCES: Final[Mapping[str, float]] = {"fp32": 2e-3, "fp16": 5e-2, "bf16": 3e-1}
"""Largest difference from outputs recorded in fp32 on a CPU. CLS numbers, which leave a LayerNorm, are about 1."""

Origin = Literal["shipped with dejafake", "recorded on this machine"]


@dataclass(frozen=True, slots=True)
class Proof:
    """How a loaded detector was verified. `statement` is for people; the differences are the largest seen, None
    without golden outputs."""

    statement: str
    logit_difference: float | None
    cls_difference: float | None

    @classmethod
    def without_golden(cls, vouched: bool) -> "Proof":
        """No golden outputs; `vouched`: the digest of the weights is one the registry pins."""
        return cls(proof_statement(None, vouched), None, None)


@dataclass(frozen=True, slots=True)
class GoldenOutputs:
    """Expected outputs for `golden_pictures()`. `logits` [2, C], `cls` [2, 32], recorded in fp32 on a CPU; `tolerance`
    by precision, absolute. `fingerprint` says of which detector."""

    fingerprint: str
    logits: tuple[tuple[float, ...], ...]
    cls: tuple[tuple[float, ...], ...]
    tolerance: Mapping[str, float]
    origin: Origin

    @classmethod
    def of(cls, fingerprint: str, logits: Floats, cls_embeddings: Floats) -> "GoldenOutputs":
        """Golden outputs from a run in fp32 on the CPU."""
        return cls(
            fingerprint,
            tuple(tuple(round(float(x), 6) for x in row) for row in logits),
            tuple(tuple(round(float(x), 6) for x in row[:CLS_VALUES]) for row in cls_embeddings),
            TOLERANCES,
            "recorded on this machine",
        )

    def compare(self, name: str, logits: Floats, cls_embeddings: Floats, precision: str, device: str) -> Proof:
        """The proof that outputs agree.

        Raises:
            WeightsRefusedError: one differs by more than the tolerance of `precision`.
        """
        wanted_logits, wanted_cls = np.asarray(self.logits), np.asarray(self.cls)
        found_cls = cls_embeddings[:, : wanted_cls.shape[1]]
        if wanted_logits.shape != logits.shape or wanted_cls.shape != found_cls.shape:
            raise WeightsRefusedError(f"the golden outputs of {name} have other shapes: record them again")
        logit = float(np.abs(wanted_logits - logits).max())
        cls = float(np.abs(wanted_cls - found_cls).max())
        allowed = self.tolerance[precision]
        if not (logit <= allowed and cls <= allowed):
            raise WeightsRefusedError(
                f"{name} does not reproduce its golden outputs on {device} in {precision} (logits differ by "
                f"{logit:.2g}, embeddings by {cls:.2g}, allowed is {allowed:.2g}): set DEJAFAKE_DEVICE=cpu and "
                "DEJAFAKE_PRECISION=fp32"
            )
        return Proof(proof_statement(self, False), logit, cls)

    def write(self, folder: Path) -> Path:
        """Writes `golden.json` into `folder` in one step.

        Raises:
            DetectorError: the folder cannot be written.
        """
        content = asdict(self)
        del content["origin"]
        path = folder / GOLDEN_FILE
        try:
            with tempfile.NamedTemporaryFile(
                "w", dir=folder, prefix=".golden-", delete=False, encoding="utf-8"
            ) as file:
                file.write(json.dumps(content, indent=1) + "\n")
            Path(file.name).replace(path)
        except OSError as error:
            raise DetectorError(f"golden outputs cannot be written to {path}: {error.strerror}") from None
        return path


def proof_statement(golden: GoldenOutputs | None, vouched: bool) -> str:
    """How a detector was verified, in words; `vouched`: the registry pins the digest of its weights."""
    if golden is not None:
        return f"golden outputs {golden.origin}"
    return "SHA-256 of the weights, no golden outputs" if vouched else "no golden outputs"


def find_golden(folder: Path) -> GoldenOutputs | None:
    """The golden outputs beside the weights in `folder`, or None.

    Raises:
        WeightsRefusedError: the file there is damaged.
    """
    path = folder / GOLDEN_FILE
    if not path.is_file():
        return None
    return _read(path, "shipped with dejafake" if folder == bundled.FOLDER else "recorded on this machine")


def trial_pictures(preprocessing: Preprocessing) -> Floats:
    """The golden pictures and their mirror images, prepared: [4, 3, S, S], to judge and time runtimes by."""
    pictures = golden_pictures()
    mirrored = [picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for picture in pictures]
    return np.stack([prepare(picture, preprocessing) for picture in (*pictures, *mirrored)])


def golden_pictures() -> tuple[Image.Image, Image.Image]:
    """Two RGB pictures, the same everywhere (whole-number arithmetic only): 500 x 420 of ramps and discs, and 384 x 512
    of coloured blocks from a linear congruential generator (Knuth's MMIX constants)."""
    y, x = np.mgrid[0:420, 0:500].astype(np.int64)
    scene = np.stack([x * 255 // 499, y * 255 // 419, (x + 2 * y) % 256], axis=-1)
    for number, (cx, cy, radius) in enumerate(((120, 130, 70), (340, 210, 110), (250, 350, 40))):
        inside = (x - cx) ** 2 + (y - cy) ** 2 <= radius * radius
        scene[inside] = (60 + 90 * number, 220 - 80 * number, 30 + 50 * number)
    state, values = 1, []
    for _ in range(48 * 64 * 3):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append(state >> 56)
    blocks = np.asarray(values, np.int64).reshape(64, 48, 3).repeat(8, axis=0).repeat(8, axis=1)
    return Image.fromarray(scene.astype(np.uint8)), Image.fromarray(blocks.astype(np.uint8))


def _read(path: Path, origin: Origin) -> GoldenOutputs:
    file = Configuration.read(path)
    tolerance = file.section("tolerance")
    return GoldenOutputs(
        fingerprint=file.text("fingerprint"),
        logits=_tuples(file.rows("logits")),
        cls=_tuples(file.rows("cls")),
        tolerance={precision: tolerance.real(precision) for precision in TOLERANCES},
        origin=origin,
    )


def _tuples(rows: Reals) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(x) for x in row) for row in rows)
