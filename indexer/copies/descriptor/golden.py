"""Golden embeddings: what a copy descriptor must answer to the two golden pictures, nearly, before it serves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from indexer.arrays import Vectors
from indexer.detector.configuration import Configuration
from indexer.errors import DetectorError, WeightsRefusedError
from indexer.files.whole_files import replacing_text

MIN_COSINES: Final[Mapping[str, float]] = {"fp32": 0.9999, "fp16": 0.998, "bf16": 0.99, "onnx": 0.95}
"""Least cosine to the embeddings recorded, by precision. An ONNX model may be in int8, in which processors round and
saturate differently."""


@dataclass(frozen=True, slots=True)
class DescriptorProof:
    """What stands behind a loaded descriptor. `statement` is for a person; `min_cosine` is the worst to the golden
    embeddings, None when there are none."""

    statement: str
    min_cosine: float | None


@dataclass(frozen=True, slots=True)
class GoldenEmbeddings:
    """The embeddings [2, D] of `golden_pictures()` by the descriptor of `fingerprint`, recorded in fp32 on a CPU."""

    fingerprint: str
    embeddings: tuple[tuple[float, ...], ...]
    shipped: bool

    @classmethod
    def of(cls, fingerprint: str, embeddings: Vectors) -> "GoldenEmbeddings":
        """Golden embeddings from a run in fp32 on the CPU."""
        return cls(fingerprint, tuple(tuple(round(float(x), 6) for x in row) for row in embeddings), shipped=False)

    def compare(self, name: str, embeddings: Vectors, precision: str, device: str) -> DescriptorProof:
        """The proof that embeddings [2, D] agree.

        Raises:
            WeightsRefusedError: a cosine is less than the precision allows.
        """
        expected = np.asarray(self.embeddings, np.float64)
        if expected.shape != embeddings.shape:
            raise WeightsRefusedError(f"the golden embeddings of {name} have another shape: record them again")
        lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(embeddings, axis=1)
        cosine = float(np.min(np.einsum("nd,nd->n", expected, embeddings) / np.maximum(lengths, 1e-12)))
        least = MIN_COSINES[precision]
        if not cosine >= least:
            raise WeightsRefusedError(
                f"{name} does not reproduce its golden embeddings on {device} in {precision} (cosine {cosine:.4f}, "
                f"required is {least:g}): set DEJAFAKE_DEVICE=cpu, DEJAFAKE_PRECISION=fp32 and DEJAFAKE_RUNTIME=eager"
            )
        return DescriptorProof(proof_statement(self, False), cosine)

    def write(self, path: Path) -> None:
        """Writes `path` in one step.

        Raises:
            DetectorError: it cannot be written.
        """
        content = {"fingerprint": self.fingerprint, "embeddings": self.embeddings}
        try:
            with replacing_text(path) as file:
                file.write(json.dumps(content) + "\n")
        except OSError as error:
            raise DetectorError(f"golden embeddings cannot be written to {path}: {error.strerror}") from None


def proof_statement(golden: GoldenEmbeddings | None, vouched: bool) -> str:
    """What proves a descriptor, in words; `vouched`: its weights have the digest that its configuration names."""
    if golden is not None:
        return "golden embeddings " + ("shipped with dejafake" if golden.shipped else "recorded on this machine")
    return "SHA-256 of the weights, no golden embeddings" if vouched else "no golden embeddings"


def golden_file(config: Path) -> Path:
    """Where the golden embeddings of the descriptor described by `config` are: `golden.json` beside `config.json`,
    `NAME.golden.json` beside `NAME.json`."""
    return config.with_name("golden.json") if config.stem == "config" else config.with_suffix(".golden.json")


def find_golden(config: Path, *, shipped: bool) -> GoldenEmbeddings | None:
    """The golden embeddings beside `config`, or None; `shipped`: they came with dejafake.

    Raises:
        WeightsRefusedError: the file there is damaged.
    """
    path = golden_file(config)
    if not path.is_file():
        return None
    file = Configuration.read(path)
    embeddings = tuple(tuple(float(x) for x in row) for row in file.rows("embeddings"))
    return GoldenEmbeddings(file.text("fingerprint"), embeddings, shipped)
