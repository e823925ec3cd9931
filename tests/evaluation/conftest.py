"""An open installation with the bundled detector, and a labelled manifest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from labelled_folders import both_classes

from indexer.settings import Settings
from indexer.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, models: Path) -> Iterator[Workspace]:
    settings = Settings.load(home=tmp_path / "home", models_dir=models, device="cpu", threads=1, batch_size=4)
    with Workspace(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def labelled_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return both_classes(tmp_path_factory.mktemp("labelled"))
