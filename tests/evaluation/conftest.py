"""Open installations with small real detectors, and a labelled manifest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from labelled_folders import both_classes
from tiny_detectors import tiny_detector

from indexer.evaluation.labelled import labelled_pictures
from indexer.evaluation.options import EvaluationOptions
from indexer.evaluation.report import Evaluation, evaluate
from indexer.settings import Settings
from indexer.workspace import Workspace

QUICK = EvaluationOptions(resamples=50, queries=2, robustness=2)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that says it is trained; its scores are as good as random."""
    return tiny_detector(tmp_path_factory.mktemp("tiny") / "tiny", seed=1)


@pytest.fixture(scope="session")
def tiny_untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_detector(tmp_path_factory.mktemp("untrained") / "tiny", seed=1, trained=False)


def settings_of(home: Path, detector: Path, **changes: object) -> Settings:
    return Settings.load(home=home, detector=str(detector), device="cpu", threads=1, batch_size=8, **changes)


@pytest.fixture
def workspace(tmp_path: Path, tiny: Path) -> Iterator[Workspace]:
    with Workspace(settings_of(tmp_path / "home", tiny)) as opened:
        yield opened


@pytest.fixture(scope="session")
def labelled_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return both_classes(tmp_path_factory.mktemp("labelled"))


def evaluated(home: Path, detector: Path, what: Path | str, options: EvaluationOptions = QUICK) -> Evaluation:
    with Workspace(settings_of(home, detector)) as opened:
        labelled, pictures = labelled_pictures(opened, str(what))
        return evaluate(labelled, pictures, opened.detector(), options)


@pytest.fixture(scope="session")
def evaluation(tmp_path_factory: pytest.TempPathFactory, tiny: Path, labelled_manifest: Path) -> Evaluation:
    """The report of the tiny detector on the manifest."""
    return evaluated(tmp_path_factory.mktemp("home"), tiny, labelled_manifest)
