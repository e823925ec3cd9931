"""The Compare page: two pictures laid over each other, by mouse and by keyboard, and without scripts."""

import io
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageDraw

from tests.made_pictures import encoded, png, scene
from tests.search_api.served import Api
from tests.search_api.web.visits import Visit, page_is_clean

VIEWER = "picture-compare"


def painted(seed: int) -> bytes:
    """The scene of this seed with a sign painted into it."""
    picture = scene(seed)
    ImageDraw.Draw(picture).rectangle((200, 100, 290, 180), fill="white", outline="black", width=5)
    return encoded(picture, "JPEG", quality=85)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    a, b = tmp_path / "a.png", tmp_path / "b.jpg"
    a.write_bytes(png(1))
    b.write_bytes(painted(1))
    return a, b


def compare(visit: Visit, bench: Api, a: Path, b: Path | str) -> None:
    """Fills in the form and sends it; `b` may be a SHA-256."""
    page = visit.page
    page.goto(f"{bench.url}/compare")
    page.set_input_files("[name=a_file]", a)
    if isinstance(b, str):
        page.fill("[name=b]", b)
    else:
        page.set_input_files("[name=b_file]", b)
    page.click("button:has-text('Compare')")


def state(visit: Visit) -> dict[str, str]:
    """What the viewer shows: mode, picture on top, zoom, turn, mirror and place."""
    return dict(visit.page.eval_on_selector(VIEWER, "viewer => ({...viewer.dataset})"))


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "ar")])
def test_an_edit_is_shown_in_words_and_marked_and_the_page_is_clean(
    bench: Api, visit: Visit, files: tuple[Path, Path], scheme: str, language: str
) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit.page.goto(f"{bench.url}/compare?lang={language}")
    page_is_clean(visit, bench.url)
    visit.page.set_input_files("[name=a_file]", files[0])
    visit.page.set_input_files("[name=b_file]", files[1])
    visit.page.click("form.compare-form button")
    visit.page.wait_for_selector(".viewer:not([hidden])")
    assert "They differ in 1 region" in visit.page.inner_text("main")
    assert visit.page.inner_text("h1").startswith("A and B are the same picture")
    page_is_clean(visit, bench.url)
    assert visit.overflow_when_narrow() <= 0


def test_each_key_does_what_its_button_says(bench: Api, visit: Visit, files: tuple[Path, Path]) -> None:
    compare(visit, bench, *files)
    page = visit.page
    page.wait_for_selector(".viewer:not([hidden])")
    page.focus(".stage")
    buttons = page.eval_on_selector_all(
        "[data-action]", "all => all.map(each => [each.dataset.action, each.dataset.keys])"
    )
    assert len(buttons) == 17
    for action, keys in buttons:
        if action == "save":
            continue
        by_key = []
        for key in keys.split(" "):
            page.keyboard.press("r")
            page.keyboard.press(key)
            by_key.append(state(visit))
        page.keyboard.press("r")
        if action == "toggle":  # the key has flickered already
            page.keyboard.press("3")
        page.eval_on_selector(f"[data-action={action}]", "button => button.click()")
        after_click = state(visit)
        page.focus(".stage")
        for after_key in by_key:
            if action == "toggle":
                assert (after_key["mode"], after_click["mode"]) == ("flicker", "flicker")
            else:
                assert after_key == after_click, action
    page.keyboard.press("r")
    page.keyboard.press("3")
    tops = []
    for _ in range(3):
        tops.append(state(visit)["top"])
        page.keyboard.press("Space")
    assert tops[0] == tops[2] != tops[1]


def test_arrows_lead_to_other_matches_zoomed_or_not_and_move_with_shift(bench: Api, visit: Visit) -> None:
    page, a = visit.page, bench.fakes[1]
    page.goto(f"{bench.url}/compare?a={a}&b={bench.fakes[2]}")
    page.wait_for_selector(".viewer:not([hidden])")
    page.focus(".stage")
    page.keyboard.press("z")
    page.keyboard.press("Shift+ArrowRight")
    assert state(visit)["x"] == "-60"
    assert f"b={bench.fakes[2]}" in page.url
    following = page.get_attribute("a[rel=next]", "href") or page.get_attribute("a[rel=prev]", "href")
    assert following is not None
    page.keyboard.press("ArrowRight" if page.query_selector("a[rel=next]") else "ArrowLeft")
    page.wait_for_url(f"**{following}")
    assert visit.wrong == []


def test_a_region_is_gone_to_and_the_view_is_saved(bench: Api, visit: Visit, files: tuple[Path, Path]) -> None:
    compare(visit, bench, files[1], bench.fakes[1])
    page = visit.page
    page.wait_for_selector(".viewer:not([hidden])")
    page.click("[data-box]")
    shown = state(visit)
    assert shown["mode"] == "flicker"
    assert int(shown["scale"]) > 150
    with page.expect_download() as download:
        page.click("[data-action=save]")
    saved = Image.open(download.value.path())
    assert saved.format == "PNG"
    assert len(set(saved.convert("RGB").resize((40, 40)).get_flattened_data())) > 20
    page.click("[data-action=slider]")
    page.fill(".share input", "20")
    assert page.get_attribute(VIEWER, "data-mode") == "slider"


def test_without_scripts_both_pictures_and_the_difference_stand_side_by_side(
    bench: Api, without_scripts: Visit, files: tuple[Path, Path]
) -> None:
    compare(without_scripts, bench, files[1], bench.fakes[1])
    page = without_scripts.page
    page.wait_for_selector("figure")
    assert page.locator("figure img:visible").count() == 3
    assert "They differ in 1 region" in page.inner_text("main")
    assert "@one" not in page.inner_text("h1")


def test_known_images_have_an_address_over_http_too(bench: Api) -> None:
    a, b = bench.fakes[1], bench.fakes[2]
    answer = bench.client.get("/v1/compare", params={"a": a, "b": a}).json()
    assert answer["scores"][0]["relation"] == "same_file"
    assert answer["scores"][0]["holds"]
    assert [facts["kind"] for facts in (answer["a"], answer["b"])] == ["image_id", "image_id"]
    drawn = bench.client.get("/v1/compare", params={"a": a, "b": b, "format": "png"})
    assert Image.open(io.BytesIO(drawn.content)).format == "PNG"
    assert bench.client.get("/v1/compare", params={"a": a, "b": "0" * 64}).status_code == 404
    assert bench.client.get("/v1/compare", params={"a": a}).status_code == 422
    lost = httpx.get(f"{bench.url}/compare", params={"a": a, "b": "0" * 64}, headers={"Accept": "text/html"})
    assert (lost.status_code, lost.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_a_side_that_is_missing_or_no_picture_is_told(bench: Api, visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    page.goto(f"{bench.url}/compare")
    page.click("form.compare-form button")
    page.wait_for_selector("[role=alert]")
    assert "choose a file, or give the SHA-256" in page.inner_text("[role=alert]")
    text = tmp_path / "text.jpg"
    text.write_bytes(b"no picture at all")
    compare(visit, bench, text, bench.fakes[1])
    page.wait_for_selector("[role=alert]")
    assert "picture" in page.inner_text("[role=alert]")


def test_ask_leads_to_a_comparison_with_the_match(bench: Api, visit: Visit, files: tuple[Path, Path]) -> None:
    page = visit.page
    page.goto(f"{bench.url}/")
    page.set_input_files("input[type=file]", files[1])
    page.wait_for_selector("article.answer .group")
    with visit.context.expect_page() as opened:
        page.click("form[action$='/compare'] button")
    opened.value.wait_for_selector("h1:has-text('A and B are the same picture')")
