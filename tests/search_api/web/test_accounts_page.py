"""The page of accounts: links, drawing and exports, clean in both directions and without scripts."""

from collections.abc import Iterator

import pytest

from indexer.detector import Detector
from indexer.settings import Settings
from tests.made_pictures import encoded, scene
from tests.search_api.served import Api, Loaded, running
from tests.search_api.web.visits import Visit, page_is_clean


@pytest.fixture(scope="module")
def linked(common: dict[str, object], detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Two accounts that share three pictures within a minute, among twelve that share none."""
    settings = Settings.load(home=tmp_path_factory.mktemp("accounts"), **common)
    with running(settings, Loaded(settings, detector)) as server:
        for seed in range(15):
            file = {"files": (f"{seed}.jpg", encoded(scene(40 + seed, (120, 90)), "JPEG", quality=80))}
            added = server.client.post("/v1/images", files=file).json()["files"][0]["sha256"]
            for second, account in enumerate(("@left <b>", "@right") if seed < 3 else (f"@other{seed}",)):
                seen = {"platform": "x", "account": account, "posted_at": f"2026-04-{10 + seed}T10:00:0{second}Z"}
                server.client.post(f"/v1/images/{added}/sightings", json=seen).raise_for_status()
        yield server


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ar")])
def test_links_and_their_drawing_are_shown_and_the_page_is_clean(
    linked: Api, visit: Visit, scheme: str, language: str
) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit.page.goto(f"{linked.url}/accounts?lang={language}")
    assert visit.page.locator(".account-graph circle").count() == 2
    assert "@left <b>" in visit.page.inner_text("main")
    assert "no proof of coordination" in visit.page.inner_text("main")
    page_is_clean(visit, linked.url)
    assert visit.overflow_when_narrow() <= 0


def test_the_window_is_asked_for_by_form_and_files_are_exported(linked: Api, without_scripts: Visit) -> None:
    page = without_scripts.page
    page.goto(f"{linked.url}/accounts")
    page.fill("[name=min_shared]", "4")
    page.click("main form button")
    page.wait_for_url("**/accounts?window_minutes=60&min_shared=4")
    assert "No two accounts" in page.inner_text("main")
    for kind, begins in (
        ("gexf", b"<?xml"),
        ("graphml", b"<?xml"),
        ("coortweet", b"object_id,account_id"),
        ("json", b"{"),
    ):
        answer = linked.client.get("/v1/accounts/links", params={"format": kind})
        assert answer.content.lstrip().startswith(begins), kind
    assert linked.client.get("/v1/accounts/links", params={"window_minutes": 0}).status_code == 422
