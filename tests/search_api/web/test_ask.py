"""The Ask page in a real browser: one picture and many, every way to give them, and what goes wrong."""

import io
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.made_pictures import encoded, png, recompressed, scene
from tests.search_api.served import Api
from tests.search_api.web.test_foundation import form_token
from tests.search_api.web.visits import Visit, page_is_clean

if TYPE_CHECKING:
    from playwright.sync_api import Route


def given(visit: Visit, home: str, *files: tuple[str, bytes]) -> None:
    """Opens the page and chooses the files."""
    visit.page.goto(home)
    visit.page.set_input_files("#pictures", [as_file(name, data) for name, data in files])


def as_file(name: str, data: bytes) -> dict[str, object]:
    """A file as playwright takes it."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def zipped(**members: bytes) -> bytes:
    """A ZIP archive with these members, each a PNG by its name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.png", data)
    return buffer.getvalue()


def bomb() -> bytes:
    """An archive of a few hundred kilobytes whose members unpack to 3 GiB: all share one piece of zeros."""
    buffer = io.BytesIO()
    zeros = b"\x89PNG\r\n\x1a\n" + bytes(2**26 - 64)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.png", zeros)
        first = archive.infolist()[0]
        for number in range(1, 48):  # entries of the directory that point to the same bytes
            again = zipfile.ZipInfo(f"{number}.png")
            for name in ("CRC", "compress_size", "file_size", "compress_type", "header_offset", "flag_bits"):
                setattr(again, name, getattr(first, name))
            archive.filelist.append(again)
            archive.NameToInfo[again.filename] = again
    return buffer.getvalue()


def test_a_picture_gets_its_verdict_with_all_copies_as_one_group(bench: Api, visit: Visit) -> None:
    given(visit, bench.url, ("re-shared.jpg", recompressed(2)))
    page = visit.page
    page.wait_for_selector("article.answer")
    assert page.inner_text(".headline") == "Known fake"
    assert page.inner_text(".queue-progress") == "Answered: 1 of 1. Known fake"
    assert "labelled by desk one" in page.inner_text(".summary")
    group = page.locator(".group")
    assert group.count() == 1
    words = group.inner_text()
    assert "Same picture" in words
    assert "desk one (human)" in words
    assert bench.fakes[2] in words
    assert "1 time, on 2026-03-02: x (@two)" in words
    page.wait_for_function("() => document.querySelector('.group .thumb').naturalWidth > 0")
    page.click(".near summary")
    assert page.locator(".near-list li").count() == 5
    assert "of 256 (counts up to 31)" in page.inner_text(".near > p")
    assert page.locator(".limits li").count() >= 2
    page_is_clean(visit, bench.url)


def test_copies_of_one_picture_are_one_group_that_says_how_many_and_since_when(
    start: Callable[..., Api], visit: Visit
) -> None:
    own = start()
    for quality, posted in ((60, "2026-05-01"), (70, "2026-03-01"), (80, "2026-04-01")):
        said = {"label": "fake", "stated_by": "desk", "platform": "x", "posted_at": f"{posted}T00:00:00Z"}
        data = encoded(scene(1), "JPEG", quality=quality)
        own.client.post("/v1/images", files={"files": ("a.jpg", data)}, data=said).raise_for_status()
    given(visit, own.url, ("a.png", png(1)))
    visit.page.wait_for_selector(".group")
    assert visit.page.locator(".group").count() == 1
    words = visit.page.inner_text(".group")
    assert "3 files" in words
    assert "3 times, first 2026-03-01, last 2026-05-01: x" in words


def test_many_pictures_are_a_queue_with_a_state_and_a_card_each(bench: Api, visit: Visit) -> None:
    given(
        visit, bench.url, ("a.jpg", recompressed(1)), ("text.png", b"no picture"), ("b.png", png(7)), ("c.png", png(90))
    )
    page = visit.page
    page.wait_for_function("() => document.querySelectorAll('article.answer').length === 4")
    assert page.inner_text(".queue-progress") == "Answered: 4 of 4"
    states = page.locator(".queue .state").all_inner_texts()
    nothing = "Cannot be assessed"  # the detector is not trained
    assert states == ["Known fake", "no answer", "No known fake of this catalogue matches", nothing]
    assert "not a picture" in page.inner_text("#picture-2 .message")
    page.click(".queue a >> nth=2")
    assert page.url.endswith("#picture-3")
    assert "labelled authentic" in page.inner_text("#picture-3 .summary")
    page_is_clean(visit, bench.url)
    page.set_viewport_size({"width": 360, "height": 700})
    assert visit.width_overflow() <= 0


@pytest.mark.parametrize(("scheme", "language"), [("dark", "en"), ("light", "ar")])
def test_cards_are_clean_in_every_colour_and_direction(bench: Api, visit: Visit, scheme: str, language: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    given(visit, f"{bench.url}/?lang={language}", ("a.jpg", recompressed(1)))
    visit.page.wait_for_selector("article.answer")
    for summary in visit.page.locator("article.answer details > summary").all():
        summary.click()
    page_is_clean(visit, bench.url)


def test_the_whole_job_without_scripts(bench: Api, without_scripts: Visit) -> None:
    page = without_scripts.page
    given(without_scripts, bench.url, ("a.jpg", recompressed(1)), ("text.png", b"no picture"))
    page.click(".ask-form button")
    page.wait_for_selector("article.answer")
    assert page.locator(".queue .state").all_inner_texts() == ["Known fake", "no answer"]
    page.click("#picture-1 .region summary")
    page.set_input_files("#picture-1 .region [type=file]", [as_file("a.jpg", recompressed(1))])  # type: ignore[list-item]
    for edge, value in (("left", "0"), ("top", "0"), ("right", "300"), ("bottom", "250")):
        page.fill(f"#picture-1 [name={edge}]", value)
    page.click("#picture-1 .region button")
    page.wait_for_selector(".regions li")
    assert "Known fakes looked through: 6;" in page.inner_text(".region-count")


def test_an_archive_is_unpacked_into_a_card_for_each_picture(bench: Api, visit: Visit) -> None:
    given(visit, bench.url, ("tips.zip", zipped(one=png(1), two=b"no picture", three=png(8))))
    page = visit.page
    page.wait_for_selector("#picture-1-3")
    assert page.locator(".queue .queue .state").all_inner_texts() == [
        "Known fake",
        "no answer",
        "No known fake of this catalogue matches",
    ]
    assert page.inner_text("#picture-1 .answer-name") == "one.png"
    page_is_clean(visit, bench.url)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("bomb.zip", bomb, "unpacks to far more than its own size"),
        ("many.zip", lambda: zipped(**{f"n{number}": b"\x89PNG" for number in range(65)}), "more than 64 pictures"),
        ("empty.zip", lambda: zipped(), "no pictures"),
        ("broken.zip", lambda: b"PK\x03\x04" + b"x" * 99, "cannot be read as a zip archive"),
        ("text.jpg", lambda: b"text", "not a picture"),
        ("empty.jpg", lambda: b"", "choose at least one picture"),
    ],
)
def test_a_file_that_cannot_be_asked_with_gets_one_clear_message(
    bench: Api, visit: Visit, name: str, data: Callable[[], bytes], words: str
) -> None:
    given(visit, bench.url, (name, data()))
    visit.page.wait_for_selector("article.refused")
    assert visit.page.locator(".message.error:visible").count() == 1
    assert words in visit.page.inner_text("article.refused .message")


def test_too_many_and_too_large_files_are_refused_before_they_are_sent(bench: Api, visit: Visit) -> None:
    given(visit, bench.url, *((f"{number}.png", b"x") for number in range(65)))
    visit.page.wait_for_selector(".queue-message:visible")
    assert "You gave 65 files. At most 64" in visit.page.inner_text(".queue-message")
    assert visit.page.locator("article.answer").count() == 0
    visit.page.evaluate("document.querySelector('ask-queue').dataset.maxBytes = '10'")
    visit.page.set_input_files("#pictures", [as_file("a.png", png(1))])  # type: ignore[list-item]
    visit.page.wait_for_selector("article.refused")
    assert "larger than 64 MiB" in visit.page.inner_text("article.refused")
    assert not [url for url in visit.asked if url.endswith("/ask")]


def test_too_many_files_in_a_form_without_scripts_are_refused(bench: Api) -> None:
    with httpx.Client(base_url=bench.url, headers={"Accept": "text/html"}) as client:
        token = form_token(client.get("/"))
        files = [("pictures", (f"{number}.png", b"x")) for number in range(65)]
        answer = client.post("/ask", data={"csrf": token}, files=files)
    assert answer.status_code == 413
    assert "at most 64 files" in answer.text


def test_a_queue_goes_on_when_the_connection_is_back(bench: Api, visit: Visit) -> None:
    page = visit.page
    page.goto(bench.url)
    visit.context.set_offline(True)
    files = [as_file(f"{seed}.png", png(seed)) for seed in (1, 2, 7)]
    page.set_input_files("#pictures", files)  # type: ignore[arg-type]
    page.wait_for_selector(".queue-message:visible")
    assert "sent again as soon as it is back" in page.inner_text(".queue-message")
    assert page.locator("article.answer").count() == 0
    visit.context.set_offline(False)
    page.wait_for_function("() => document.querySelectorAll('article.answer').length === 3")
    assert page.locator(".queue-message").is_hidden()
    assert page.locator(".queue .state").all_inner_texts()[:2] == ["Known fake", "Known fake"]


def test_a_picture_is_dropped_or_pasted(bench: Api, visit: Visit) -> None:
    visit.page.goto(bench.url)
    script = """([kind, bytes]) => {
        const held = new DataTransfer();
        held.items.add(new File([new Uint8Array(bytes)], `${kind}.png`));
        const event = kind === "paste"
            ? new ClipboardEvent("paste", {clipboardData: held, bubbles: true})
            : new DragEvent("drop", {dataTransfer: held, bubbles: true, cancelable: true});
        document.body.dispatchEvent(event);
    }"""
    for kind in ("paste", "drop"):
        visit.page.evaluate(script, [kind, list(png(3))])
        visit.page.wait_for_selector(f"article.answer:has-text('{kind}.png')")
    assert visit.page.locator("article.answer").count() == 1


def test_an_image_of_the_catalogue_is_asked_with_at_an_address(bench: Api, visit: Visit) -> None:
    visit.page.goto(bench.url)
    visit.page.fill("[name=image]", bench.fakes[4])
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("article.answer")
    assert visit.page.url.endswith(f"/?image={bench.fakes[4]}")
    page_is_clean(visit, bench.url)
    assert httpx.get(f"{bench.url}/ask").headers["location"] == "/"
    assert httpx.get(f"{bench.url}/?image={'0' * 64}", headers={"Accept": "text/html"}).status_code == 404


def test_nothing_is_kept_unless_a_person_adds_it(start: Callable[..., Api], visit: Visit) -> None:
    own = start()
    page = visit.page
    given(visit, own.url, ("a.png", png(1)))
    page.wait_for_selector("article.answer")
    assert own.client.get("/v1/images").json()["items"] == []
    page.click(".add summary")
    assert page.locator(".add .same-file").is_hidden()
    page.select_option(".add [name=label]", "fake")
    page.fill(".add [name=stated_by]", "Nadia")
    page.fill(".add [name=collections]", "tips")
    page.fill(".add [name=platform]", "x")
    page.fill(".add [name=posted_at]", "2026-03-01T10:00")
    page.click(".add button")
    page.wait_for_selector(".added .message")
    (image,) = own.client.get("/v1/images").json()["items"]
    details = own.client.get(f"/v1/images/{image['sha256']}").json()
    assert (image["label"]["value"], image["label"]["source"]) == ("fake", "Nadia")
    assert details["collections"] == ["tips"]
    assert details["sightings"][0]["posted_at"] == "2026-03-01T10:00:00Z"
    token = page.get_attribute(".add [name=csrf]", "value")
    cookies = {cookie["name"]: cookie["value"] for cookie in visit.context.cookies()}
    with httpx.Client(base_url=own.url, cookies=cookies, headers={"Accept": "text/html"}) as client:  # without scripts
        answer = client.post(
            "/ask/add", data={"csrf": token}, files={"image": ("a.png", png(1))}, follow_redirects=True
        )
    assert str(answer.url).endswith(f"/?image={image['sha256']}")
    assert "The catalogue has this file already" in answer.text
    page.select_option(".add [name=label]", "authentic")
    page.fill(".add [name=stated_by]", "")
    page.click(".add button")
    page.wait_for_selector(".toasts .error")
    assert "who says so" in page.inner_text(".toasts")


def test_other_peoples_words_are_shown_and_never_run(start: Callable[..., Api], visit: Visit) -> None:
    own = start()
    hostile = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    said = {"label": "fake", "stated_by": hostile, "generator": hostile, "platform": hostile, "claim": hostile}
    data = encoded(scene(1))
    own.client.post("/v1/images", files={"files": (hostile, data)}, data=said).raise_for_status()
    given(visit, own.url, (f"{hostile.replace('/', '')}.png", data))
    visit.page.wait_for_selector(".group")
    assert visit.page.inner_text(".group").count(hostile) >= 3
    assert visit.page.locator("article.answer script, .group dd img, .captions img, .answer-name img").count() == 0
    assert visit.page.title() != "run"
    assert visit.wrong == []


def test_a_box_drawn_on_the_picture_finds_the_known_fake_that_holds_the_part_and_shows_where(
    start: Callable[..., Api], visit: Visit
) -> None:
    own = start()
    page = visit.page
    upload = {"label": "fake", "stated_by": "desk"}
    own.client.post("/v1/images", files={"files": ("a.png", encoded(scene(1)))}, data=upload).raise_for_status()
    box = (120, 60, 330, 260)
    pasted = scene(201)
    pasted.paste(scene(1).crop(box), box[:2])
    given(visit, own.url, ("suspicious.jpg", encoded(pasted, "JPEG", quality=85)))
    page.wait_for_selector("article.answer")
    page.click(".region summary")
    page.wait_for_function("() => document.querySelector('.stage img').naturalWidth > 0")
    seen = page.locator(".stage img").bounding_box()
    assert seen is not None
    across, down = seen["width"] / pasted.width, seen["height"] / pasted.height
    page.mouse.move(seen["x"] + box[2] * across, seen["y"] + box[1] * down)
    page.mouse.down()
    page.mouse.move(seen["x"] + box[0] * across, seen["y"] + box[3] * down, steps=3)
    page.mouse.up()
    edges = [int(page.input_value(f".region [name={edge}]")) for edge in ("left", "top", "right", "bottom")]
    assert edges == pytest.approx(box, abs=1)

    page.click(".region button")
    page.wait_for_selector(".regions .box")
    assert "contain" in page.inner_text(".regions li")  # firmly or not: the scene has few features
    assert "Known fakes looked through: 1;" in page.inner_text(".region-count")
    thumb, lies = (page.locator(f".regions {part}").bounding_box() for part in (".thumb", ".box"))
    assert thumb is not None
    assert lies is not None
    shares = [(lies[axis] - thumb[axis]) / thumb[side] for axis, side in (("x", "width"), ("y", "height"))]
    assert shares == pytest.approx([box[0] / 480, box[1] / 360], abs=0.05)
    assert lies["width"] / thumb["width"] == pytest.approx((box[2] - box[0]) / 480, abs=0.05)
    page_is_clean(visit, own.url)


def test_a_guarded_server_answers_after_the_sign_in(start: Callable[..., Api], visit: Visit) -> None:
    own = start(api_token="secret")
    visit.page.goto(own.url)
    visit.page.fill("[name=token]", "secret")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("#pictures")
    visit.page.set_input_files("#pictures", [as_file("a.png", png(1))])  # type: ignore[list-item]
    visit.page.wait_for_selector("article.answer")
    assert visit.page.inner_text(".headline") == "Cannot be assessed"
    visit.context.clear_cookies()
    visit.page.set_input_files("#pictures", [as_file("a.png", png(1))])  # type: ignore[list-item]
    visit.page.wait_for_url("**/login*")


def test_a_picture_that_was_chosen_before_the_script_ran_is_asked_about(bench: Api, visit: Visit) -> None:
    held: list[Route] = []
    visit.page.route("**/ask.js", lambda route: held.append(route))
    with visit.page.expect_request("**/ask.js"):
        visit.page.goto(bench.url, wait_until="commit")
    visit.page.set_input_files("#pictures", [as_file("a.png", png(1))])  # type: ignore[list-item]
    (script,) = held
    script.continue_()
    visit.page.wait_for_selector("article.answer")


def test_a_blurred_picture_is_shown_when_asked_for(bench: Api, without_scripts: Visit) -> None:
    page = without_scripts.page
    without_scripts.context.add_cookies([{"name": "dejafake_blur", "value": "on", "url": bench.url}])
    page.goto(f"{bench.url}/?image={bench.fakes[1]}")
    image = page.locator(".picture img").first
    blurred = "element => getComputedStyle(element).filter"
    assert "blur" in image.evaluate(blurred)
    page.locator(".reveal").first.click()
    assert image.evaluate(blurred) == "none"


def test_a_tip_line_is_worked_through_by_keyboard_alone(bench: Api, visit: Visit) -> None:
    page = visit.page
    page.on("filechooser", lambda _chooser: None)  # so that the browser tells of choosers before the key is pressed
    page.goto(bench.url)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "pictures":
            break
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    files = [as_file(f"tip-{seed}.jpg", recompressed(seed)) for seed in (1, 7, 2)]
    chooser.value.set_files(files)  # type: ignore[arg-type]
    page.wait_for_function("() => document.querySelectorAll('article.answer').length === 3")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "tip-7.jpg"
    page.keyboard.press("Enter")
    assert page.url.endswith("#picture-2")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('article').id") == "picture-2"
    for _ in range(10):  # past the links to what matches
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#picture-2 details[open]").count() == 1


def test_when_the_time_of_a_request_runs_out_the_pictures_that_are_left_say_so(
    start: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = start()
    monkeypatch.setattr("search_api.web.asking._TIME_SHARE", -1.0)
    with httpx.Client(base_url=own.url, headers={"Accept": "text/html"}) as client:
        token = form_token(client.get("/"))
        files = [("pictures", (f"{seed}.png", png(seed))) for seed in (1, 2)]
        answer = client.post("/ask", data={"csrf": token}, files=files)
    assert answer.status_code == 200
    assert answer.text.count("The time for one request ran out: send this one again.") == 2
