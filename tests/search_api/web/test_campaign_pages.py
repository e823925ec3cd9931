"""The pages of campaigns: what they show, and that what is decided there is decided."""

from collections.abc import Iterator

import pytest

from indexer.campaigns import cluster
from indexer.detector import Detector
from indexer.settings import Settings
from tests.made_pictures import encoded, scene
from tests.search_api.served import Api, Loaded, running
from tests.search_api.web.visits import Visit, page_is_clean


@pytest.fixture(scope="module")
def clustered(common: dict[str, object], detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server whose catalogue has two campaigns: four and three copies of one picture each."""
    settings = Settings.load(home=tmp_path_factory.mktemp("clustered"), **common)
    said = {"label": "fake", "stated_by": "desk", "platform": "Somegram <b>", "posted_at": "2026-03-01"}
    files = [
        ("files", (f"{seed}-{quality}.jpg", encoded(scene(seed), "JPEG", quality=quality)))
        for seed, copies in ((1, 4), (2, 3))
        for quality in (95, 85, 75, 65)[:copies]
    ]
    workspace = Loaded(settings, detector)
    with running(settings, workspace) as own:
        own.client.post("/v1/images", files=files, data=said).raise_for_status()
        cluster(workspace.catalog, workspace.index, settings)
        yield own


def ids(server: Api) -> list[str]:
    return [campaign["id"] for campaign in server.client.get("/v1/campaigns").json()["items"]]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_list_and_a_campaign_are_clean(clustered: Api, visit: Visit, language: str) -> None:
    page = visit.page
    page.goto(f"{clustered.url}/campaigns?lang={language}")
    assert page.locator(".campaign-row").count() == 2
    assert "Somegram <b>" in page.inner_text("main")
    page_is_clean(visit, clustered.url)
    page.goto(f"{clustered.url}/campaigns/{ids(clustered)[0]}?lang={language}")
    assert page.locator(".members .picture-card").count() == 4
    page_is_clean(visit, clustered.url)
    assert visit.overflow_when_narrow() <= 0


def test_images_are_rejected_by_keyboard_and_the_decision_is_taken_back(clustered: Api, visit: Visit) -> None:
    campaign, page = ids(clustered)[0], visit.page
    page.goto(f"{clustered.url}/login")
    page.fill("main [name=name]", "Nadia <i>")
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    visit.wrong.clear()
    page.goto(f"{clustered.url}/campaigns/{campaign}")
    page.focus("[name=images] >> nth=1")
    page.keyboard.press("Space")
    page.focus("[name=note]")
    page.keyboard.type("another scene")
    page.focus("[value=reject_member]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast")
    assert page.locator(".members .picture-card").count() == 3
    (decision,) = clustered.client.get(f"/v1/campaigns/{campaign}/decisions").json()["items"]
    assert (decision["kind"], decision["by"], decision["note"]) == ("reject_member", "Nadia <i>", "another scene")
    page.focus(".toast button")
    page.keyboard.press("Enter")
    page.locator(".members .picture-card >> nth=3").wait_for()
    assert clustered.client.get(f"/v1/campaigns/decisions/{decision['id']}").json()["undone_by"] is not None
    assert visit.wrong == []


def test_a_decision_without_an_image_says_so(clustered: Api, visit: Visit) -> None:
    visit.page.goto(f"{clustered.url}/campaigns/{ids(clustered)[1]}")
    visit.page.click("[value=confirm_member]")
    visit.page.wait_for_selector("[role=alert]")
    assert "choose at least one image" in visit.page.inner_text("[role=alert]")


def test_a_campaign_is_renamed_confirmed_and_handed_over_without_scripts(
    clustered: Api, without_scripts: Visit
) -> None:
    campaign, page = ids(clustered)[1], without_scripts.page
    address = f"{clustered.url}/campaigns/{campaign}"
    page.goto(address)
    page.fill("[name=name]", "Two suns <b>")
    page.click("[value=rename]")
    page.wait_for_url(address)
    assert page.inner_text("h1") == "Two suns <b>"
    page.click("text=It is one campaign")
    page.wait_for_selector("h1 + p .badge.authentic")
    href = page.get_attribute("nav a >> text=JSON", "href")
    answer = page.request.get(f"{clustered.url}{href}")
    assert answer.json()["campaign"]["name"] == "Two suns <b>"
    assert page.request.get(f"{address}/report?format=html").text().count("<h1") == 1


def test_the_search_field_leads_from_an_id_to_the_campaign(clustered: Api, visit: Visit) -> None:
    campaign, page = ids(clustered)[0], visit.page
    page.goto(f"{clustered.url}/login")
    page.fill("#find", campaign)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/campaigns/{campaign}")
