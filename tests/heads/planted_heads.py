"""Labelled pictures whose embeddings show their class, and a detector they are said to be of."""

from pathlib import Path

import numpy as np

from indexer.detector import ResolvedDetector, resolve
from indexer.evaluation.labelled import LabelledSet
from indexer.settings import Settings
from indexer.vocabulary import Technique

GENERATORS = ("aurora", "borealis", "cirrus")


def planted(
    per_class: int = 40, *, apart: float = 0.25, seed: int = 0, groups: tuple[str | None, ...] | None = None
) -> LabelledSet:
    """`per_class` authentic pictures and as many fakes of each of three generators; classes lie `apart`."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(GENERATORS) + 1), per_class)
    directions = random.standard_normal((len(GENERATORS) + 1, 384))
    vectors = random.standard_normal((len(truth), 384)) + apart * directions[truth]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    fake = truth > 0
    return LabelledSet(
        name="collection desk",
        fingerprint="f" * 64,
        sha256=tuple(f"{number:064x}" for number in range(len(truth))),
        fake=fake,
        logits=np.zeros((len(truth), 1), np.float32),
        p_fake=np.full(len(truth), 0.5, np.float32),
        embeddings=vectors.astype(np.float32),
        generators=tuple(GENERATORS[one - 1] if one else None for one in truth),
        techniques=tuple(Technique.INPAINTING if one == 1 else Technique.UNKNOWN for one in truth),
        groups=groups or (None,) * len(truth),
        sizes=np.full((len(truth), 2), 512, np.int32),
        skipped={},
    )


def bundled(home: Path) -> ResolvedDetector:
    """The bundled detector, not loaded."""
    return resolve("dejafake-small", Settings.load(home=home))
