"""Labelled pictures whose true probabilities and origins are planted."""

from dataclasses import replace

import numpy as np

from indexer.calibration import ScoreHead
from indexer.calibration.fit import Material

SIGMOID = ScoreHead("sigmoid", 0)


def material(size: int, seed: int = 0, *, temperature: float = 1.0, shift: float = 0.0) -> Material:
    """Pictures whose logit / temperature - shift is the log-odds by which they were drawn to be fake."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0.0, 2.5, size)
    fake = rng.random(size) < 1 / (1 + np.exp(-odds))
    embeddings = rng.normal(size=(size, 16))
    return Material(
        data_set="planted",
        detector="d",
        fingerprint="f" * 64,
        head=SIGMOID,
        fake=fake,
        logits=((odds + shift) * temperature).astype(np.float32)[:, None],
        embeddings=(embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32),
        groups=(None,) * size,
        generators=(None,) * size,
    )


def with_origins(
    origins: int, each: int, *, blur: float, seed: int = 0, kind: str = "generators", authentic: int = 100
) -> Material:
    """Fakes spread by `blur` round one direction an origin, and authentic pictures anywhere."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(origins, 64))
    names = np.repeat(np.arange(origins), each)
    fakes = centres[names] + blur * rng.normal(size=(len(names), 64))
    vectors = np.concatenate([fakes, rng.normal(size=(authentic, 64))])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    fake = np.arange(len(vectors)) < len(names)
    logits = np.where(fake, 2.0, -2.0) + rng.normal(size=len(vectors))
    named = (*(f"origin {name}" for name in names), *([None] * authentic))
    return replace(
        material(len(vectors)),
        fake=fake,
        logits=logits.astype(np.float32)[:, None],
        embeddings=vectors.astype(np.float32),
        **{kind: named},  # type: ignore[arg-type]
    )
