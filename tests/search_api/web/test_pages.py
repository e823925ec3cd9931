"""The pages in a real browser: search at `/`, documentation at `/docs`, and nothing from elsewhere."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.made_pictures import encoded, recompressed, scene
from tests.search_api.served import Api
from tests.search_api.web.visits import Visit


def test_a_dropped_picture_gets_its_verdict_in_words(bench: Api, visit: Visit, tmp_path: Path) -> None:
    visit.page.goto(bench.url)
    picture = tmp_path / "re-shared.jpg"
    picture.write_bytes(recompressed(2))
    visit.page.set_input_files("#picture", picture)
    visit.page.wait_for_selector("#answer:not([hidden])")
    assert visit.page.inner_text("#outcome") == "A known fake"
    assert "labelled by desk one" in visit.page.inner_text("#summary")
    first = visit.page.locator("#matches li").first
    assert "Same picture" in first.inner_text()
    assert "says desk one (human)" in first.inner_text()
    assert bench.fakes[2] in first.inner_text()
    visit.page.wait_for_function("document.querySelector('#matches .thumb').naturalWidth > 0")
    assert visit.page.locator("#matches li").count() == 1
    assert visit.page.locator("#near li").count() == 5
    assert visit.page.locator("#limits li").count() >= 2
    assert visit.elsewhere(bench.url) == []
    assert visit.wrong == []


def test_a_file_that_is_no_picture_is_explained_on_the_page(bench: Api, visit: Visit, tmp_path: Path) -> None:
    visit.page.goto(bench.url)
    text = tmp_path / "text.png"
    text.write_text("no picture")
    visit.page.set_input_files("#picture", text)
    visit.page.wait_for_selector("#status.error")
    assert visit.page.inner_text("#status")
    assert visit.page.locator("#answer").is_hidden()


def test_other_peoples_words_are_shown_and_never_run(start: Callable[..., Api], visit: Visit, tmp_path: Path) -> None:
    own = start()
    hostile = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    said = {"label": "fake", "stated_by": hostile, "generator": hostile, "platform": hostile, "claim": hostile}
    data = encoded(scene(1))
    own.client.post("/v1/images", files={"files": (hostile, data)}, data=said).raise_for_status()
    picture = tmp_path / "a.png"
    picture.write_bytes(data)
    visit.page.goto(own.url)
    visit.page.set_input_files("#picture", picture)
    visit.page.wait_for_selector("#matches li")
    assert hostile in visit.page.inner_text("#matches")
    assert visit.page.locator("#matches script, #matches td img").count() == 0
    assert visit.page.title() != "run"
    assert visit.wrong == []


def test_a_box_drawn_on_the_picture_finds_the_known_fake_that_holds_the_part_and_shows_where(
    start: Callable[..., Api], visit: Visit, tmp_path: Path
) -> None:
    own = start()
    upload = {"label": "fake", "stated_by": "desk"}
    own.client.post("/v1/images", files={"files": ("a.png", encoded(scene(1)))}, data=upload).raise_for_status()
    box = (120, 60, 330, 260)
    pasted = scene(201)
    pasted.paste(scene(1).crop(box), box[:2])
    picture = tmp_path / "suspicious.jpg"
    picture.write_bytes(encoded(pasted, "JPEG", quality=85))
    visit.page.goto(own.url)
    visit.page.set_input_files("#picture", picture)
    visit.page.wait_for_selector("#answer:not([hidden])")
    visit.page.click("#region summary")
    visit.page.wait_for_function("document.querySelector('#whole').naturalWidth > 0")
    seen = visit.page.locator("#whole").bounding_box()
    across, down = seen["width"] / pasted.width, seen["height"] / pasted.height
    visit.page.mouse.move(seen["x"] + box[2] * across, seen["y"] + box[1] * down)
    visit.page.mouse.down()
    visit.page.mouse.move(seen["x"] + box[0] * across, seen["y"] + box[3] * down, steps=3)
    visit.page.mouse.up()
    edges = [int(visit.page.input_value(f"#{edge}")) for edge in ("left", "top", "right", "bottom")]
    assert edges == pytest.approx(box, abs=1)

    visit.page.click("#ask-region button")
    visit.page.wait_for_selector("#regions .box:not([hidden])")
    assert "contain" in visit.page.inner_text("#regions li")  # firmly or not: the scene has few features
    assert "Known fakes looked through: 1;" in visit.page.inner_text("#region-status")
    thumb, lies = (visit.page.locator(f"#regions {one}").bounding_box() for one in (".thumb", ".box"))
    shares = [(lies[axis] - thumb[axis]) / thumb[side] for axis, side in (("x", "width"), ("y", "height"))]
    assert shares == pytest.approx([box[0] / 480, box[1] / 360], abs=0.05)
    assert lies["width"] / thumb["width"] == pytest.approx((box[2] - box[0]) / 480, abs=0.05)
    assert visit.elsewhere(own.url) == []
    assert visit.wrong == []


def test_the_page_asks_for_the_token_of_a_guarded_server(
    start: Callable[..., Api], visit: Visit, tmp_path: Path
) -> None:
    own = start(api_token="secret")
    picture = tmp_path / "a.png"
    picture.write_bytes(encoded(scene(1)))
    visit.page.goto(own.url)
    visit.page.set_input_files("#picture", picture)
    visit.page.wait_for_selector("#status.error")
    visit.page.fill("#token", "secret")
    visit.page.set_input_files("#picture", picture)
    visit.page.wait_for_selector("#answer:not([hidden])")
    assert visit.page.inner_text("#outcome") == "Could not be assessed"


def test_the_documentation_shows_every_operation_without_the_internet(bench: Api, visit: Visit) -> None:
    visit.page.goto(f"{bench.url}/docs")
    visit.page.wait_for_selector(".opblock")
    document = httpx.get(f"{bench.url}/openapi.json").json()
    assert visit.page.locator(".opblock").count() == sum(len(item) for item in document["paths"].values())
    visit.page.click("#operations-search-search_v1_search_post .opblock-summary")
    visit.page.wait_for_selector(".opblock-body .responses-wrapper")
    visit.page.click(".opblock-body .try-out__btn")
    visit.page.wait_for_selector(".opblock-body input[type=file]")
    assert visit.elsewhere(bench.url) == []
    assert visit.wrong == []


def test_the_pages_name_only_files_of_this_server(bench: Api) -> None:
    for address in ("/", "/docs"):
        page = bench.client.get(address).text
        assert "//" not in page.replace("<!doctype", "")
        assert "<script>" not in page
        assert "style=" not in page
