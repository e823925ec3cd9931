"""The list of images: conditions in the address, each taken away alone, page by page."""

import httpx
import pytest

from tests.search_api.served import Api
from tests.search_api.web.visits import Visit, page_is_clean

HTML = {"Accept": "text/html"}


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ar", "dark")])
def test_it_is_clean(bench: Api, visit: Visit, language: str, scheme: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit.page.goto(f"{bench.url}/images?label=fake&lang={language}")
    page_is_clean(visit, bench.url)
    assert visit.overflow_when_narrow() <= 0


def test_conditions_are_set_by_the_form_and_taken_away_one_by_one_without_scripts(
    bench: Api, without_scripts: Visit
) -> None:
    page = without_scripts.page
    page.goto(f"{bench.url}/images")
    everything = page.locator(".picture-card").count()
    assert everything >= 11
    page.select_option("[name=label]", "fake")
    page.fill("main [name=platform]", "telegram")
    page.fill("[name=posted_from]", "2026-04-10")
    page.click("main form button")
    page.wait_for_url("**/images?label=fake&platform=telegram&posted_from=2026-04-10")
    assert page.locator(".picture-card").count() == 1
    assert page.locator(f"a[href$='/images/{bench.fakes[4]}']").count() == 1
    page.click(".chips a:has-text('2026-04-10')")
    page.wait_for_url("**/images?label=fake&platform=telegram")
    assert page.locator(".picture-card").count() == 2
    page.go_back()
    assert page.locator(".picture-card").count() == 1
    page.click("text=Take all away")
    page.wait_for_url("**/images")
    assert page.locator(".picture-card").count() == everything


def test_nothing_found_and_what_makes_no_sense_are_said(bench: Api) -> None:
    nothing = httpx.get(f"{bench.url}/images?platform=nowhere%3Cb%3E", headers=HTML)
    assert nothing.status_code == 200
    assert "No image meets these conditions" in nothing.text
    assert "nowhere&lt;b&gt;" in nothing.text
    for query in ("label=maybe", "posted_from=yesterday", "colour=red", "cursor=x"):
        wrong = httpx.get(f"{bench.url}/images?{query}", headers=HTML)
        assert (wrong.status_code, 'role="alert"' in wrong.text) == (422, True), query
