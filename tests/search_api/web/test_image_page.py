"""The page of one image: what it says, and the forms that add to it."""

import hashlib
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.made_pictures import png, recompressed
from tests.search_api.served import Api, fill
from tests.search_api.web.visits import Visit, page_is_clean

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = '<script>alert("x")</script> \u202eevil'


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_it_tells_what_is_known_and_is_clean(bench: Api, visit: Visit, scheme: str, language: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit.page.goto(f"{bench.url}/images/{bench.fakes[1]}?lang={language}")
    visit.page.wait_for_selector("#similar-images .grid")
    for words in ("caption 1", "@one", "desk one", "splice", bench.fakes[1]):
        assert words in visit.page.inner_text("main"), words
    page_is_clean(visit, bench.url)
    assert visit.overflow_when_narrow() <= 0


def test_a_copy_among_the_nearest_images_says_why_it_matches_and_leads_to_the_comparison(scratch: Api) -> None:
    fill(scratch, {}, range(703, 704))
    sha256, copy = hashlib.sha256(png(703)).hexdigest(), hashlib.sha256(recompressed(703)).hexdigest()
    upload = [("files", ("copy.jpg", recompressed(703), "image/jpeg"))]
    assert scratch.client.post("/v1/images", files=upload).status_code == 200
    nearest = scratch.client.get(f"/images/{sha256}/similar")
    assert nearest.status_code == 200
    assert f"/compare?a={sha256}&amp;b={copy}" in nearest.text
    assert "PDQ " in nearest.text


def test_the_search_field_leads_from_a_digest_to_the_image_and_an_unknown_one_is_a_page(
    bench: Api, visit: Visit
) -> None:
    page = visit.page
    page.goto(f"{bench.url}/login")
    page.keyboard.press("/")
    page.keyboard.type(bench.fakes[2].upper())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/images/{bench.fakes[2]}")
    assert "caption 2" in page.inner_text("main")
    lost = httpx.get(f"{bench.url}/images/{'0' * 64}", headers={"Accept": "text/html"})
    assert (lost.status_code, lost.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_a_person_labels_sights_collects_and_deletes_without_scripts(scratch: Api, without_scripts: Visit) -> None:
    fill(scratch, {}, range(701, 702))
    sha256 = hashlib.sha256(png(701)).hexdigest()
    page, address = without_scripts.page, f"{scratch.url}/images/{sha256}"
    page.goto(address)
    page.click("text=State a label")
    page.select_option("[name=value]", "fake")
    page.select_option("[name=technique]", "inpainting")
    page.fill("[name=stated_by]", "Nadia")
    page.fill("[name=reason]", HOSTILE)
    page.click("text=Add the label")
    page.wait_for_url(address)
    assert "Nadia" in page.inner_text("table")
    assert '<script>alert("x")</script>' in page.inner_text("table")
    page.click("text=Add a sighting")
    page.fill("[name=url]", "https://example.org/1")
    page.fill("[name=caption]", HOSTILE)
    page.click("text=Add the sighting")
    page.wait_for_selector(".timeline")
    assert page.get_attribute(".timeline a", "href") == "https://example.org/1"
    page.fill("[name=add_to_collections]", "team <b>")
    page.click("section[aria-labelledby=more] button")
    page.wait_for_selector(".chip")
    assert page.inner_text(".chip bdi") == "team <b>"
    details = scratch.client.get(f"/v1/images/{sha256}").json()
    assert (details["image"]["label"]["value"], details["collections"]) == ("fake", ["team <b>"])
    assert (details["sightings"][0]["caption"], details["labels"][0]["source"]) == (HOSTILE, "Nadia")
    page.click(".chip button")
    page.wait_for_selector(".chip", state="detached")
    page.click("text=Delete this image")
    page.fill("[name=reason]", "asked for")
    page.click("text=Delete it")
    page.wait_for_url(f"{scratch.url}/")
    assert scratch.client.get(f"/v1/images/{sha256}").status_code == 404
    assert without_scripts.wrong == []


def test_a_form_that_is_not_complete_says_what_to_fill_in(bench: Api, visit: Visit) -> None:
    visit.page.goto(f"{bench.url}/images/{bench.fakes[3]}")
    visit.page.click("text=Add a sighting")
    visit.page.click("text=Add the sighting")
    visit.page.wait_for_selector("[role=alert]")
    assert "a sighting needs at least one field" in visit.page.inner_text("[role=alert]")


def test_a_stale_form_says_who_changed_what_keeps_what_was_typed_and_can_be_sent_all_the_same(
    scratch: Api, browser: "Browser"
) -> None:
    fill(scratch, {}, range(702, 703))
    sha256 = hashlib.sha256(png(702)).hexdigest()
    address = f"{scratch.url}/images/{sha256}"
    nadia = Visit(browser, java_script_enabled=False)
    omar = Visit(browser)
    for visit, name, value in ((nadia, "Nadia", "fake"), (omar, "Omar <b>", "authentic")):
        visit.page.goto(address)
        visit.page.click("text=State a label")
        visit.page.select_option("[name=value]", value)
        visit.page.fill("[name=stated_by]", name)
        visit.page.fill("[name=reason]", f"because\n{name}")
    nadia.page.click("text=Add the label")
    nadia.page.wait_for_url(address)
    omar.page.click("text=Add the label")
    omar.page.wait_for_url(f"{address}/labels")
    said = omar.page.inner_text("main")
    for words in ("This was changed since you opened it", "A label was stated: fake · Nadia", "Omar <b>"):
        assert words in said
    assert [label["source"] for label in scratch.client.get(f"/v1/images/{sha256}").json()["labels"]] == ["Nadia"]
    omar.wrong.clear()  # the browser notes the status 412 on its console
    page_is_clean(omar, scratch.url)
    assert omar.overflow_when_narrow() <= 0
    omar.page.focus("main button")
    omar.page.keyboard.press("Enter")
    omar.page.wait_for_url(address)
    labels = scratch.client.get(f"/v1/images/{sha256}").json()["labels"]
    assert {(label["source"], label["reason"].replace("\r\n", "\n")) for label in labels} == {
        ("Nadia", "because\nNadia"),
        ("Omar <b>", "because\nOmar <b>"),
    }
    nadia.close()
    omar.close()


def test_commands_zoom_and_citation_by_keyboard_with_the_local_time_beside(bench: Api, browser: "Browser") -> None:
    visit = Visit(browser, timezone_id="Asia/Kolkata", permissions=["clipboard-read", "clipboard-write"])
    page, sha256 = visit.page, bench.fakes[1]
    page.goto(f"{bench.url}/images/{sha256}")
    assert "2026-03-01 10:00 UTC" in page.inner_text("#sightings + .timeline")
    assert "3:30" in page.inner_text("#sightings + .timeline .local-time")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette[open] [role=option]")
    page.keyboard.type("happ")
    page.locator("#palette-list [role=option][aria-selected=true]", has_text="What happened").wait_for()
    page_is_clean(visit, bench.url)
    page.keyboard.press("Enter")
    page.locator("#history:focus").wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.type("copy cit")
    page.keyboard.press("Enter")
    page.locator(".toast", has_text="The citation was copied.").wait_for()
    citation = page.evaluate("() => navigator.clipboard.readText()")
    for words in (
        sha256,
        "labelled fake by desk one",
        "first seen 2026-03-01 10:00 UTC",
        f"{bench.url}/images/{sha256}",
    ):
        assert words in citation
    page.focus(".zoom-stage")
    page.keyboard.press("+")
    page.locator(f".zoomed img[src$='{sha256}/picture']").wait_for()
    assert page.inner_text("picture-zoom output") == "150 %"
    assert page.evaluate(
        "() => document.querySelector('.zoom-stage').scrollWidth > document.querySelector('.zoom-stage').clientWidth"
    )
    page.emulate_media(forced_colors="active")
    page.click("text=Where the detector looked")
    page.locator(".heat img").scroll_into_view_if_needed()
    # axe compares the colours of the style sheet, which the system's own replace here
    assert [fault for fault in visit.faults() if not fault.startswith("color-contrast:")] == []
    assert visit.wrong == []
    outline = "(button) => getComputedStyle(button).borderTopStyle"
    assert page.locator("[data-zoom=in]").evaluate(outline) == "solid"
    assert visit.overflow_when_narrow() <= 0
    page.emulate_media(media="print")
    assert not page.is_visible(".copying")
    assert not page.is_visible("form")
    visit.close()
