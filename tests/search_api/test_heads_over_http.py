"""A team's own head over HTTP: heard at the next search after it was saved, and one more piece of evidence."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from indexer.detector import Detector
from indexer.estimates import Estimate
from indexer.heads import ClassFigures, HeadDescription, HeadStore
from tests.made_pictures import png
from tests.search_api.served import Api


def test_a_search_tells_what_a_head_says_and_what_stands_behind_it(
    start: Callable[..., Api], detector: Detector, tmp_path: Path
) -> None:
    api = start(models_dir=tmp_path / "models")
    picture = {"image": ("asked.png", png(60))}
    assert api.client.post("/v1/search", files=picture).json()["heads"] == []
    store = HeadStore(tmp_path / "models" / "heads", detector.fingerprint)
    head = store.save(described(detector), np.zeros((2, 384), np.float32), np.array([0, 1], np.float32))
    answer = api.client.post("/v1/search", files=picture).json()
    (finding,) = answer["heads"]
    assert finding["fingerprint"] == head.fingerprint
    assert [(one["name"], round(one["score"], 2)) for one in finding["scores"]] == [("dawn", 0.73), ("dusk", 0.27)]
    assert finding["accuracy"] == {"value": 0.8, "low": 0.7, "high": 0.9, "no_interval": None}
    piece = next(one for one in answer["verdict"]["evidence"] if one["tool"] == "head generators")
    assert (piece["kind"], piece["direction"]) == ("statistical", "neutral")
    assert "Trained on 40 pictures of collection desk" in piece["statement"]


def described(detector: Detector) -> HeadDescription:
    figure = Estimate(0.8, 0.7, 0.9)
    return HeadDescription(
        format=1,
        name="generators",
        target="generator",
        classes=(ClassFigures("dusk", 20, figure), ClassFigures("dawn", 20, figure)),
        detector=detector.spec.name,
        detector_fingerprint=detector.fingerprint,
        detector_trained=detector.spec.trained,
        trained_on="collection desk",
        n=40,
        groups=None,
        left_out={},
        folds=5,
        regularisation=0.01,
        seed=0,
        accuracy=figure,
        macro_f1=figure,
        majority=0.5,
        confusion=((16, 4), (4, 16)),
        trained_at=datetime(2026, 3, 1, tzinfo=UTC),
        version="0.1.0",
        weights_sha256="",
    )
