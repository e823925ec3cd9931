"""Open installations with small real detectors, and a labelled manifest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.evaluation.report import Evaluation
from indexer.workspace import Workspace
from tests.evaluation.evaluations import evaluated, settings_of
from tests.evaluation.labelled_folders import both_classes
from tests.tiny_detectors import tiny_detector


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that says it is trained; its scores are as good as random."""
    return tiny_detector(tmp_path_factory.mktemp("tiny") / "tiny", seed=1)


@pytest.fixture(scope="session")
def tiny_untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_detector(tmp_path_factory.mktemp("untrained") / "tiny", seed=1, trained=False)


@pytest.fixture
def workspace(tmp_path: Path, tiny: Path) -> Iterator[Workspace]:
    with Workspace(settings_of(tmp_path / "home", tiny)) as opened:
        yield opened


@pytest.fixture(scope="session")
def labelled_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return both_classes(tmp_path_factory.mktemp("labelled"))


@pytest.fixture(scope="session")
def evaluation(tmp_path_factory: pytest.TempPathFactory, tiny: Path, labelled_manifest: Path) -> Evaluation:
    """The report of the tiny detector on the manifest."""
    return evaluated(tmp_path_factory.mktemp("home"), tiny, labelled_manifest)


@pytest.fixture(scope="session")
def untrained_evaluation(
    tmp_path_factory: pytest.TempPathFactory, tiny_untrained: Path, labelled_manifest: Path
) -> Evaluation:
    """The report of the same detector when it says it is not trained."""
    return evaluated(tmp_path_factory.mktemp("home"), tiny_untrained, labelled_manifest)
