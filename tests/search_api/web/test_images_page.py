"""The catalogue's page: facets and conditions in the address, the months, order, and what is done to chosen images."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.search_api.served import Api, fill
from tests.search_api.web.visits import Visit, page_is_clean

HTML = {"Accept": "text/html"}


def counts_on(page: str) -> dict[str, int]:
    """The numbers of a page's facets, by the address that each leads to."""
    listed = re.findall(r'<li><a href="([^"]+)"[^>]*><(?:span|bdi)>.*?<span class="count">([^<]+)</span>', page)
    return {address.replace("&amp;", "&"): int(re.sub(r"\D", "", count)) for address, count in listed}


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ar", "dark")])
def test_it_is_clean(bench: Api, visit: Visit, language: str, scheme: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit.page.goto(f"{bench.url}/images?label=fake&lang={language}")
    for summary in visit.page.locator("main details:not([open]) > summary").all():
        if summary.is_visible():
            summary.click()
    page_is_clean(visit, bench.url)
    assert visit.overflow_when_narrow() <= 0


def test_each_count_is_what_choosing_the_value_gives(bench: Api) -> None:
    for start in ("/images?label=fake", "/images?platform=telegram", "/images?posted_from=2026-04-10&label=fake"):
        facets = counts_on(httpx.get(bench.url + start, headers=HTML).text)
        assert len(facets) >= 5
        for address, count in facets.items():
            chosen = httpx.get(bench.url + address, headers=HTML).text
            if set(parse_qs(urlsplit(start).query)) <= set(
                parse_qs(urlsplit(address).query)
            ):  # it was not chosen before
                assert len(re.findall('<article class="picture-card">', chosen)) == count, address


def test_conditions_are_set_by_facets_and_form_and_taken_away_one_by_one_without_scripts(
    bench: Api, without_scripts: Visit
) -> None:
    page = without_scripts.page
    page.goto(f"{bench.url}/images")
    everything = page.locator(".picture-card").count()
    assert everything >= 11
    page.click(".facet a:has-text('fake')")
    page.wait_for_url("**/images?label=fake")
    page.click(".facet a:has-text('telegram')")
    page.wait_for_url("**/images?label=fake&platform=telegram")
    page.fill(".months [name=posted_from]", "2026-04-10")
    page.click(".months button")
    page.wait_for_url("**/images?label=fake&platform=telegram&posted_from=2026-04-10")
    assert page.locator(".picture-card").count() == 1
    assert page.locator(f".picture a[href$='/images/{bench.fakes[4]}']").count() == 1
    page.click(".chips a:has-text('2026-04-10')")
    page.wait_for_url("**/images?label=fake&platform=telegram")
    assert page.locator(".picture-card").count() == 2
    page.go_back()
    assert page.locator(".picture-card").count() == 1
    page.click("text=Take all away")
    page.wait_for_url("**/images")
    assert page.locator(".picture-card").count() == everything
    page.click("text=Type conditions")
    page.fill("aside [name=account]", "channel-a")
    page.click("aside form button")
    page.wait_for_url("**/images?account=channel-a")
    assert page.locator(".picture-card").count() == 2


def test_nothing_found_and_what_makes_no_sense_are_said(bench: Api) -> None:
    nothing = httpx.get(f"{bench.url}/images?platform=nowhere%3Cb%3E", headers=HTML)
    assert nothing.status_code == 200
    assert "No image meets these conditions" in nothing.text
    assert "nowhere&lt;b&gt;" in nothing.text
    assert "nowhere<b>" not in nothing.text
    queries = ("label=maybe", "posted_from=yesterday", "colour=red", "cursor=x", "sort=size", "density=huge")
    for query in (*queries, "sort=alike", "sort=alike&like=abc", "disputed=perhaps", "sort=most_sighted&cursor=x"):
        wrong = httpx.get(f"{bench.url}/images?{query}", headers=HTML)
        assert (wrong.status_code, 'role="alert"' in wrong.text) == (422, True), query


def test_images_come_in_the_order_asked_for(bench: Api) -> None:
    known: dict[int, str] = {}
    fill(bench, known, range(15, 16), collections="to be sorted", platform="vk")
    fill(bench, known, range(12, 13), collections="to be sorted")
    for order, expected in (("newest", [12, 15]), ("most_sighted", [15, 12])):
        listed = httpx.get(f"{bench.url}/images?sort={order}&collections=to+be+sorted", headers=HTML).text
        digests = re.findall(r'name="images" value="([0-9a-f]{64})"', listed)
        assert digests == [known[seed] for seed in expected]
    alike = httpx.get(f"{bench.url}/images?sort=alike&like={bench.fakes[1]}&platform=x", headers=HTML).text
    assert re.findall(r'name="images" value="([0-9a-f]{64})"', alike) == [bench.fakes[2]]


def test_a_time_is_drawn_over_the_months(bench: Api, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{bench.url}/images?label=fake")
    page.locator(".months[data-ready]").wait_for()
    months = [page.locator(f"g[data-start='2026-0{month}-01']").bounding_box() for month in (4, 5)]
    assert all(months)
    (first, last) = ((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in months if box)
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*last, steps=3)
    page.mouse.up()
    page.wait_for_url("**/images?label=fake&posted_from=2026-04-01&posted_to=2026-06-01")
    assert page.locator(".picture-card").count() == 4
    assert page.locator("g.chosen").count() == 2
    assert visit.wrong == []


def test_images_are_chosen_by_keyboard_put_into_a_collection_and_taken_out_again(bench: Api, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{bench.url}/images?label=fake&platform=facebook&lang=en")
    page.locator(".choose-all:visible").wait_for()
    boxes = page.locator("[name=images]")
    boxes.nth(0).focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Space")
    page.locator("output:has-text('Chosen: 2')").wait_for()
    assert [box.is_checked() for box in boxes.all()] == [True, True]
    page.focus("text=With the chosen images")
    page.keyboard.press("Enter")
    page.focus("[name=collection]")
    page.keyboard.type("Two <b>")
    page.focus("text=Put into the collection")
    page.keyboard.press("Enter")
    page.locator(".toast:has-text('Images put into “Two <b>”: 2.')").wait_for()
    assert "platform=facebook" in page.url
    inside = bench.client.get("/v1/images", params={"collections": "Two <b>"}).json()["items"]
    assert {image["sha256"] for image in inside} == {bench.fakes[5], bench.fakes[6]}
    page.focus(".toast button")
    page.keyboard.press("Enter")
    page.locator(".toast:has-text('Images taken out of “Two <b>”: 2.')").wait_for()
    assert bench.client.get("/v1/images", params={"collections": "Two <b>"}).json()["items"] == []
    page.locator(".choose-all:visible").wait_for()
    boxes.nth(1).click()
    boxes.nth(0).click(modifiers=["Shift"])
    page.locator("output:has-text('Chosen: 2')").wait_for()
    assert visit.wrong == []


def test_chosen_images_are_labelled_and_exported_without_scripts(scratch: Api, without_scripts: Visit) -> None:
    fill(scratch, {}, range(13, 15), collections="to be labelled")
    page = without_scripts.page
    page.goto(f"{scratch.url}/images?collections=to+be+labelled&lang=en")
    page.click("text=With the chosen images")
    page.click("text=State a label")
    page.click("text=Add the label to all chosen")
    page.wait_for_selector("[role=alert]")
    assert "say what the chosen images are" in page.inner_text("[role=alert]")
    page.go_back()
    for box in page.locator("[name=images]").all():
        box.check()
    for summary in ("With the chosen images", "State a label"):
        if not page.locator("[name=value]").is_visible():
            page.click(f"text={summary}")
    page.select_option("[name=value]", "fake")
    page.fill("[name=stated_by]", "Nadia")
    page.click("text=Add the label to all chosen")
    page.wait_for_selector(".toast:has-text('Labels added: 2.')")
    assert page.locator(".badge.fake").count() == 2
    page.locator("[name=images]").first.check()
    page.click("text=With the chosen images")
    digest = page.locator("[name=images]").first.get_attribute("value")
    with page.expect_download() as download:
        page.click("text=Export")
    rows = download.value.path().read_text("utf-8").splitlines()
    assert (len(rows), rows[1].split(",")[0]) == (2, f'"{digest}"')
