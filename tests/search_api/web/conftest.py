"""One real server with a small catalogue of real pictures, and one real browser, for all tests of the pages."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from indexer.detector import Detector
from indexer.settings import Settings
from tests.search_api.served import Api, Loaded, fill, running
from tests.search_api.web.visits import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def bench(common: dict[str, object], detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The shared server. Scenes 1 to 6 are known fakes with a sighting each, 7 to 9 authentic ones, 10 and 11 carry no
    label; `fakes` and `authentic` hold their SHA-256 by seed. Tests leave these as they are; what else it holds they
    must not rely on."""
    given = Settings.load(home=tmp_path_factory.mktemp("bench") / "home", **common)
    with running(given, Loaded(given, detector)) as server:
        for seed, platform, account, posted in (
            (1, "x", "@one", "2026-03-01T10:00:00Z"),
            (2, "x", "@two", "2026-03-02T10:00:00Z"),
            (3, "telegram", "channel-a", "2026-04-01T10:00:00Z"),
            (4, "telegram", "channel-a", "2026-04-15T10:00:00Z"),
            (5, "facebook", "page-b", "2026-05-01T10:00:00Z"),
            (6, "facebook", "page-b", "2026-05-20T10:00:00Z"),
        ):
            said = {"label": "fake", "stated_by": "desk one", "technique": "splice", "generator": "made-up"}
            seen = {"platform": platform, "account": account, "posted_at": posted, "caption": f"caption {seed}"}
            fill(server, server.fakes, range(seed, seed + 1), **said, **seen)
        fill(server, server.authentic, range(7, 10), label="authentic", stated_by="desk one")
        fill(server, {}, range(10, 12))
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """One headless Chromium for the tests of a file. While it is open, Playwright's event loop runs in the thread of
    the tests, and tests that start one of their own fail: it must not stay open for the whole run."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Visit]:
    """A page of its own, as wide as a laptop's."""
    opened = Visit(browser, viewport={"width": 1100, "height": 900})
    yield opened
    opened.close()


@pytest.fixture
def without_scripts(browser: "Browser") -> Iterator[Visit]:
    """A page of a browser that runs no scripts."""
    opened = Visit(browser, viewport={"width": 1100, "height": 900}, java_script_enabled=False)
    yield opened
    opened.close()
