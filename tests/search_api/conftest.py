"""Real servers on loopback: one shared, with a small catalogue; others as tests need them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from served import Api, Loaded, fill, running

from indexer.detector import Detector, load_detector
from indexer.settings import Settings


@pytest.fixture(scope="session")
def detector(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """The bundled detector, loaded."""
    return load_detector(Settings.load(home=tmp_path_factory.mktemp("loading"), models_dir=models, precision="fp32"))


@pytest.fixture
def start(models: Path, detector: Detector, tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Starts a server with an empty catalogue of its own and the settings given."""
    with ExitStack() as stack:

        def started(**overrides: object) -> Api:
            given = {"home": tmp_path / "home", "models_dir": models, "precision": "fp32", **overrides}
            settings = Settings.load(**given)
            return stack.enter_context(running(settings, Loaded(settings, detector)))

        yield started


@pytest.fixture(scope="session")
def scratch(models: Path, detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server tests may change; what else it holds they must not rely on, so each uses scenes of its own."""
    settings = Settings.load(home=tmp_path_factory.mktemp("scratch") / "home", models_dir=models, precision="fp32")
    with running(settings, Loaded(settings, detector)) as server:
        yield server


@pytest.fixture(scope="session")
def api(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The shared server: scenes 1 to 6 are known fakes, 7 to 9 authentic. Tests leave these as they are."""
    with running(Settings.load(home=tmp_path_factory.mktemp("home"), models_dir=models, precision="fp32")) as server:
        fill(server, server.fakes, range(1, 7), label="fake", stated_by="desk one", technique="splice")
        fill(server, server.authentic, range(7, 10), label="authentic", stated_by="desk one")
        yield server
