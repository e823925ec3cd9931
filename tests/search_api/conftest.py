"""Real servers on loopback: one shared, with a small catalogue; others as tests need them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from indexer.detector import Detector, load_detector
from indexer.settings import Settings
from tests.search_api.served import Api, Loaded, fill, running


@pytest.fixture(scope="session")
def common(untrained_detector: Path) -> dict[str, object]:
    """Of every server: the detector is untrained, so that no two pictures are of the same origin by chance."""
    return {"detector": str(untrained_detector), "precision": "fp32"}


@pytest.fixture(scope="session")
def detector(common: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """The servers' detector, loaded."""
    return load_detector(Settings.load(home=tmp_path_factory.mktemp("loading"), **common))


@pytest.fixture
def start(common: dict[str, object], detector: Detector, tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Starts a server with an empty catalogue of its own and the settings given."""
    with ExitStack() as stack:

        def started(**overrides: object) -> Api:
            given = Settings.load(**{"home": tmp_path / "home", **common, **overrides})
            return stack.enter_context(running(given, Loaded(given, detector)))

        yield started


@pytest.fixture(scope="session")
def scratch(common: dict[str, object], detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server tests may change; what else it holds they must not rely on, so each uses scenes of its own."""
    given = Settings.load(home=tmp_path_factory.mktemp("scratch") / "home", **common)
    with running(given, Loaded(given, detector)) as server:
        yield server


@pytest.fixture(scope="session")
def api(common: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The shared server: scenes 1 to 6 are known fakes, 7 to 9 authentic. Tests leave these as they are."""
    with running(Settings.load(home=tmp_path_factory.mktemp("home"), **common)) as server:
        fill(server, server.fakes, range(1, 7), label="fake", stated_by="desk one", technique="splice")
        fill(server, server.authentic, range(7, 10), label="authentic", stated_by="desk one")
        yield server
