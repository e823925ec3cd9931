"""What all pages share: sign-in, tokens of forms, problems as pages, choices, languages, vendored files, size."""

import gzip
import hashlib
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from search_api.web.forms import own_address
from search_api.web.language import LANGUAGES, accepted_language, catalogue
from search_api.web.locale import update
from search_api.web.session import SESSION_COOKIE, Sessions
from search_api.web.site import page_modules
from tests.search_api.served import Api, problem_of
from tests.search_api.web.visits import Visit, page_is_clean

ROOT = Path(__file__).parents[3]
WEB = ROOT / "search_api" / "web"
TOKEN = "correct horse battery staple"
HTML = {"Accept": "text/html"}


def form_token(page: httpx.Response) -> str:
    """The token of the forms of a page."""
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert token is not None, page.text
    return token[1]


def test_a_person_signs_in_with_the_token_and_sees_pictures_but_not_the_api(
    start: Callable[..., Api], visit: Visit
) -> None:
    own = start(api_token=TOKEN)
    page = visit.page
    page.goto(f"{own.url}/?a=b")
    assert page.url.endswith("/login?next=/%3Fa%3Db")
    page.fill("[name=token]", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert "not the token" in page.inner_text("[role=alert]")
    visit.wrong.clear()  # the browser notes the 401
    page.fill("[name=token]", TOKEN)
    page.fill("main [name=name]", "Nadia <b>")
    page.click("main button")
    page.wait_for_url("**/?a=b")
    assert page.inner_text(".top-menu summary") == "Nadia <b>"
    cookie = next(one for one in visit.context.cookies() if one["name"] == SESSION_COOKIE)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    with httpx.Client(base_url=own.url, cookies={SESSION_COOKIE: cookie["value"]}) as client:
        problem_of(client.get("/v1/images"), 401, "token")
        problem_of(client.get("/metrics"), 401, "token")
        problem_of(client.get(f"/v1/images/{'0' * 64}/thumbnail"), 404, "not-found")
        problem_of(client.post(f"/v1/images/{'0' * 64}/thumbnail"), 401, "token")
    page.click(".top-menu summary")
    page.click("text=Sign out")
    page.wait_for_selector(".toast")
    page.goto(f"{own.url}/?a=b")
    assert "/login" in page.url


def test_a_session_ends_with_the_token_it_was_made_by() -> None:
    cookie = Sessions("one").issue("A")
    assert Sessions("one").read(cookie) == "A"
    assert Sessions("two").read(cookie) is None
    assert Sessions(None).read(cookie) is None
    forged = Sessions("one").issue("B").rsplit(".", 1)[0] + "." + cookie.rsplit(".", 1)[1]
    for other in ("", ".", "...", "x.y.z.w", forged, cookie + "0", cookie[:-1], "é" * 9, cookie * 99):
        assert Sessions("one").read(other) is None, other


def test_no_form_is_taken_without_the_token_of_this_browser(bench: Api) -> None:
    posts = [
        route.path
        for module in page_modules()
        for route in module.router.routes
        if isinstance(route, APIRoute) and "POST" in (route.methods or ())
    ]
    assert "/login" in posts
    with httpx.Client(base_url=bench.url) as client, httpx.Client(base_url=bench.url) as other:
        stolen = form_token(other.get("/login"))
        for headers in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": stolen}):
            for cookies in (False, True):
                if cookies:
                    client.get("/login")
                for path in posts:
                    address = re.sub(r"\{[^}]*\}", "0" * 64, path)
                    plain = client.post(address, data={"csrf": stolen}, headers=headers)
                    files = client.post(address, files={"a": b"x"}, data={"csrf": stolen}, headers=headers)
                    assert {plain.status_code, files.status_code} <= {403, 415}, path
                    assert 403 in (plain.status_code, files.status_code), path


def test_problems_are_pages_for_people_and_documents_for_programs(bench: Api, visit: Visit) -> None:
    problem_of(httpx.get(f"{bench.url}/nothing-here"), 404, "not-found")
    answer = httpx.get(f"{bench.url}/nothing-here", headers=HTML)
    assert answer.status_code == 404
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    problem_of(httpx.get(f"{bench.url}/v1/nothing", headers=HTML), 404, "not-found")
    visit.page.goto(f"{bench.url}/nothing-here")
    assert "Nothing is at this address" in visit.page.inner_text("[role=alert]")
    visit.wrong.clear()  # the browser notes the 404
    page_is_clean(visit, bench.url)


def test_colours_blur_and_language_are_chosen_without_scripts(bench: Api, without_scripts: Visit) -> None:
    page = without_scripts.page
    page.goto(f"{bench.url}/login?next=/a")
    page.click(".top-menu summary")
    page.select_option("[name=theme]", "dark")
    page.select_option("[name=blur]", "on")
    page.select_option("[name=language]", "ar")
    page.click(".top-menu form button")
    page.wait_for_selector("html[dir=rtl]")
    assert page.url.endswith("/login?next=/a")
    root = page.locator("html")
    assert root.get_attribute("lang") == "ar"
    assert root.get_attribute("data-theme") == "dark"
    assert root.get_attribute("data-blur") is not None
    assert page.inner_text(".skip") == catalogue("ar").gettext("Skip to the content")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", list(LANGUAGES))
def test_the_frame_is_clean_in_every_colour_and_direction(bench: Api, visit: Visit, scheme: str, language: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    visit.page.goto(f"{bench.url}/login?lang={language}")
    visit.page.click(".top-menu summary")
    page_is_clean(visit, bench.url)
    assert visit.overflow_when_narrow() <= 0


def test_the_header_is_worked_by_keyboard(bench: Api, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{bench.url}/login")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.focus(".top-menu summary")
    page.keyboard.press("Enter")
    page.wait_for_selector(".menu-body", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector(".menu-body", state="hidden")
    assert visit.page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_links_of_the_header_lead_somewhere(bench: Api) -> None:
    page = httpx.get(f"{bench.url}/login").text
    for address in set(re.findall(r'(?:href|src)="(/[^"]*)"', page)):
        assert httpx.get(f"{bench.url}{address}").status_code == 200, address


@pytest.mark.parametrize("given", ["//evil.example", "/\\evil", "https://evil.example", "/a\tb", "/a b", "", None, "x"])
def test_a_form_sends_nobody_elsewhere(given: str | None) -> None:
    assert own_address(given) == "/"
    assert own_address("/images?label=fake&q=a%20b") == "/images?label=fake&q=a%20b"


def test_the_language_is_the_best_that_is_accepted() -> None:
    assert accepted_language("ar-EG,ar;q=0.9,en;q=0.5") == "ar"
    assert accepted_language("fr, en;q=0.4, ar;q=0.6") == "ar"
    assert accepted_language("fr, ar;q=0, en;q=x, ;;;") == "en"


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_every_text_is_translated_and_the_compiled_catalogues_are_those_of_the_texts(language: str) -> None:
    folder = WEB / "locale" / language / "LC_MESSAGES"
    catalogues = update.updated(language)
    assert {path.stem for path in folder.glob("*.mo")} == set(catalogues), "run `make locale`"
    for name, texts in catalogues.items():
        lacking = [message.id for message in texts if message.id and not message.string]
        assert lacking == [], f"translate them in {name}.po, then run `make locale`"
        for message in texts:
            said = message.string if isinstance(message.string, str) else " ".join(message.string)
            assert set(re.findall(r"%\(\w+\)", said)) >= set(re.findall(r"%\(\w+\)", str(message.id))), message.id
        assert (folder / f"{name}.po").read_bytes() == update.po_text(texts), "run `make locale`"
        assert (folder / f"{name}.mo").read_bytes() == update.mo_bytes(texts), "run `make locale`"


def test_vendored_files_are_those_that_are_listed() -> None:
    listed = tomllib.loads((WEB / "vendored.toml").read_text(encoding="utf-8"))["file"]
    for entry in listed:
        assert set(entry) == {"path", "name", "version", "licence", "source", "sha256"}
        assert hashlib.sha256((ROOT / entry["path"]).read_bytes()).hexdigest() == entry["sha256"], entry["path"]
    paths = {entry["path"] for entry in listed}
    scripts = {path.relative_to(ROOT).as_posix() for path in (WEB / "static" / "vendor").glob("*.js")}
    assert scripts <= paths


def test_all_scripts_together_are_small_and_none_needs_eval() -> None:
    scripts = list((WEB / "static").rglob("*.js"))
    assert sum(len(gzip.compress(path.read_bytes())) for path in scripts) <= 80_000
    for path in scripts:
        if "vendor" not in path.parts:
            assert not re.search(
                r"\beval\(|new Function|innerHTML|document\.write", path.read_text(encoding="utf-8")
            ), path
