"""Settings of their own and a small real checkpoint for the detector tests."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.settings import Settings
from tests.detector.reference_checkpoints import Reference, make_reference


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """One block, one logit. Not to be changed: take `tiny_copy` for that."""
    return make_reference(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture
def tiny_copy(tiny: Reference, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny.folder, tmp_path / "copy"))


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with their own home, on the CPU."""

    def make(**changes: object) -> Settings:
        return Settings.load(**({"home": tmp_path / "home", "device": "cpu", "threads": 1, "batch_size": 4} | changes))

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings()
