"""A calibration for the examples, of scores drawn at random: it says so itself, and is never stored elsewhere."""

from datetime import UTC, datetime

import numpy as np

from indexer.calibration import Calibration, ScoreHead
from indexer.calibration.fit import CalibrationOptions, Material, calibrate
from indexer.detector import ResolvedDetector


def made_up_calibration(resolved: ResolvedDetector) -> Calibration:
    """A calibration of `resolved` on 400 scores nobody measured."""
    rng = np.random.default_rng(0)
    fake = np.arange(400) < 200
    head = resolved.spec.head
    logits = np.zeros((400, len(head.classes)), np.float32)
    logits[:, head.fake_index if head.kind == "softmax" else 0] = rng.normal(np.where(fake, 2.0, -2.0), 2.0)
    material = Material(
        data_set="scores made up for this example",
        detector=resolved.spec.name,
        fingerprint=resolved.fingerprint,
        head=ScoreHead(head.kind, head.fake_index),
        fake=fake,
        logits=logits,
        embeddings=np.zeros((400, 2), np.float32),
        groups=(None,) * 400,
        generators=(None,) * 400,
    )
    return calibrate(material, CalibrationOptions(method="platt"), datetime(2026, 3, 1, tzinfo=UTC))
