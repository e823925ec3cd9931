"""The queue: decided by keyboard, larger or not, with a truthful legend, by two people, and without scripts."""

from collections.abc import Callable, Iterator

import pytest

from indexer.campaigns import cluster
from indexer.detector import Detector
from indexer.settings import Settings
from tests.made_pictures import encoded, scene
from tests.search_api.served import Api, Loaded, running
from tests.search_api.web.visits import Visit, page_is_clean

CURRENT = ".review-item.current"


@pytest.fixture(scope="module")
def served(common: dict[str, object], detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    settings = Settings.load(home=tmp_path_factory.mktemp("queue"), **common)
    workspace = Loaded(settings, detector)
    with running(settings, workspace) as server:
        yield server


@pytest.fixture
def queue(served: Api) -> Callable[[int], Api]:
    """Fills the catalogue with a campaign of six copies of the scene of a seed."""

    def filled(seed: int) -> Api:
        files = [
            ("files", (f"{quality}.jpg", encoded(scene(seed), "JPEG", quality=quality)))
            for quality in range(70, 100, 5)
        ]
        said = {"label": "fake", "stated_by": "desk <b>"}
        served.client.post("/v1/images", files=files, data=said).raise_for_status()
        workspace = served.app.state.service.workspace
        for item in waiting(served):  # of other tests
            served.client.post(f"/v1/review/{item['id']}/decision", json={"choice": "yes", "by": "before"})
        cluster(workspace.catalog, workspace.index, served.settings)
        return served

    return filled


def waiting(server: Api) -> list[dict[str, str]]:
    items: list[dict[str, str]] = server.client.get("/v1/review", params={"kind": "campaign_member"}).json()["items"]
    return items


def decisions(server: Api, count: int) -> list[tuple[str, str | None]]:
    kept = server.client.get("/v1/review/decisions", params={"limit": count}).json()["items"]
    return [(each["choice"], each["reason"]) for each in reversed(kept)]


def current(visit: Visit) -> str | None:
    return visit.page.get_attribute(CURRENT, "data-item")


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ar")])
def test_the_queue_is_clean(queue: Callable[[int], Api], visit: Visit, scheme: str, language: str) -> None:
    server = queue(31 if scheme == "light" else 37)
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit.page.goto(f"{server.url}/review?lang={language}")
    visit.page.wait_for_selector(CURRENT)
    visit.page.keyboard.press("?")
    page_is_clean(visit, server.url)
    assert visit.overflow_when_narrow() <= 0


def test_it_is_cleared_by_keyboard_alone_enlarged_too_and_nothing_comes_back(
    queue: Callable[[int], Api], visit: Visit
) -> None:
    server, page = queue(32), visit.page
    before = [item["id"] for item in waiting(server)]
    assert len(before) == 6
    page.goto(f"{server.url}/review")
    page.wait_for_selector(CURRENT)
    assert current(visit) == before[0]
    page.keyboard.press("y")
    page.wait_for_selector("#toasts [data-number]")
    assert current(visit) == before[1]
    page.keyboard.press("z")
    page.wait_for_selector(f"{CURRENT}.large")
    page.keyboard.press("ArrowRight")  # means nothing, enlarged or not
    assert current(visit) == before[1]
    with page.expect_response("**/decision"):
        page.keyboard.press("n")
    page.keyboard.press("h")
    with page.expect_response("**/decision"):
        page.keyboard.press("2")
    page.keyboard.press("j")
    assert current(visit) == before[4]
    page.keyboard.press("k")
    assert current(visit) == before[3]
    for _ in range(3):
        with page.expect_response("**/decision"):
            page.keyboard.press("y")
    page.wait_for_selector(".left:has-text('Everything on this page is decided')")
    aside = ("cannot_tell", "The original is needed")
    assert decisions(server, 6) == [("yes", None), ("no", None), aside, *[("yes", None)] * 3]
    workspace = server.app.state.service.workspace
    cluster(workspace.catalog, workspace.index, server.settings)
    page.reload()
    assert "Nothing waits" in page.inner_text("main")
    assert visit.wrong == []


def test_the_last_decision_is_taken_back_and_the_item_waits_again(queue: Callable[[int], Api], visit: Visit) -> None:
    server, page = queue(33), visit.page
    page.goto(f"{server.url}/review")
    page.wait_for_selector(CURRENT)
    first = current(visit)
    page.keyboard.press("n")
    page.wait_for_selector("#toasts [data-number]")
    with page.expect_response("**/undo"):
        page.keyboard.press("u")
    page.wait_for_selector(f".review-item.current[data-item='{first}']:not(.decided)")
    assert first in [item["id"] for item in waiting(server)]


def test_the_legend_shows_every_key_and_each_button_does_the_same(queue: Callable[[int], Api], visit: Visit) -> None:
    server, page = queue(34), visit.page
    page.goto(f"{server.url}/review")
    page.wait_for_selector(CURRENT)
    page.keyboard.press("?")
    page.wait_for_selector(".legend:not([hidden])")
    read = "all => all.map(each => [each.dataset.keys, each.querySelector('kbd').textContent])"
    keys = page.eval_on_selector_all(".review-keys button", read)
    assert {key for key, _ in keys} == {*"?ynhujkza12340"}
    assert all(key == shown for key, shown in keys)
    second = waiting(server)[1]["id"]
    page.click("[data-action=following]")
    assert current(visit) == second
    page.keyboard.press("k")
    page.keyboard.press("j")
    assert current(visit) == second
    page.click("[data-action=zoom]")
    assert page.locator(f"{CURRENT}.large").count() == 1
    page.click("[data-action=cannot_tell]")
    with page.expect_response("**/decision"):
        page.click("[data-keys='1']")
    assert decisions(server, 1) == [("cannot_tell", "The picture is too small or too poor")]


def test_the_second_of_two_people_reads_who_decided_and_loses_nothing(
    queue: Callable[[int], Api], visit: Visit
) -> None:
    server, page = queue(35), visit.page
    page.goto(f"{server.url}/review")
    page.wait_for_selector(CURRENT)
    item = waiting(server)[0]["id"]
    server.client.post(f"/v1/review/{item}/decision", json={"choice": "no", "by": "Omar"}).raise_for_status()
    page.keyboard.press("y")
    page.wait_for_selector("#toasts .error:has-text('Omar decided about this already')")
    assert decisions(server, 1) == [("no", None)]
    with page.expect_response("**/decision"):
        page.keyboard.press("y")
    assert decisions(server, 1) == [("yes", None)]


def test_without_scripts_each_item_is_a_form_that_can_be_taken_back(
    queue: Callable[[int], Api], without_scripts: Visit
) -> None:
    server, page = queue(36), without_scripts.page
    page.goto(f"{server.url}/review?kind=campaign_member")
    assert page.locator(".review-item").count() == 6
    page.fill(".review-item >> nth=0 >> [name=reason]", "no doubt")
    page.click(".review-item >> nth=0 >> button[value=yes]")
    page.wait_for_selector(".toast")
    assert page.locator(".review-item").count() == 5
    assert decisions(server, 1) == [("yes", "no doubt")]
    page.click(".toast button")
    page.wait_for_selector(".review-item >> nth=5")
    page.click(".assign summary >> nth=0")
    page.fill("[name=person] >> nth=0", "Omar <i>")
    page.click(".assign button >> nth=0")
    page.wait_for_selector(".review-item bdi:has-text('Omar <i>')")
    page.goto(f"{server.url}/review?assigned_to=Omar+%3Ci%3E")
    assert page.locator(".review-item").count() == 1
