"""Evaluations that are quick: few resamples, queries and degraded pictures."""

from pathlib import Path

from indexer.evaluation.labelled import labelled_pictures
from indexer.evaluation.options import EvaluationOptions
from indexer.evaluation.report import Evaluation, evaluate
from indexer.settings import Settings
from indexer.workspace import Workspace

QUICK = EvaluationOptions(resamples=50, queries=2, robustness=2)


def settings_of(home: Path, detector: Path, **changes: object) -> Settings:
    return Settings.load(home=home, detector=str(detector), device="cpu", threads=1, batch_size=8, **changes)


def evaluated(home: Path, detector: Path, what: Path | str, options: EvaluationOptions = QUICK) -> Evaluation:
    with Workspace(settings_of(home, detector)) as opened:
        labelled, pictures = labelled_pictures(opened, str(what))
        return evaluate(labelled, pictures, opened.detector(), options)
