"""Takes the pictures of the workbench that README and docs/workbench.md show, into docs/pictures/.

`make screenshots` runs it on the demo's catalogue. It starts a server of its own on a free port of this machine and
opens the pages in Chromium, which must be installed. A test checks that the pictures exist and are small.
"""

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import uvicorn
from PIL import Image

from indexer.demo.photographs import PHOTOGRAPHS
from indexer.settings import Settings
from search_api.app import create_app
from search_api.server import configuration, listening

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = Path(__file__).parent / "pictures"
MAX_BYTES = 150_000
"""The most that a picture may take."""

_WINDOW = {"width": 1280, "height": 860}
_QUALITIES = (85, 75, 65, 50)
"""Qualities of WebP, best first: the first one that is small enough is kept."""

_CREDITS = """\
The pictures in this folder show the workbench on the demo's catalogue. `make screenshots` takes them.
Every sighting, account and caption in them is made up; the fakes were made in code from these photographs.

{rows}
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A running workbench: its address, a picture to ask about, and the first image it knows as a copy of it."""

    url: str
    query: Path
    match: str


def _ask(page: "Page", bench: Bench) -> None:
    page.goto(bench.url)
    page.set_input_files("#pictures", bench.query)
    page.wait_for_selector("article.answer .group img")


def _compare(page: "Page", bench: Bench) -> None:
    page.goto(f"{bench.url}/compare")
    page.set_input_files("[name=a_file]", bench.query)
    page.fill("[name=b]", bench.match)
    page.click(".compare-form button")
    page.wait_for_selector(".viewer:not([hidden])")
    page.keyboard.press("2")


def _images(page: "Page", bench: Bench) -> None:
    page.goto(f"{bench.url}/images")


def _image(page: "Page", bench: Bench) -> None:
    page.goto(f"{bench.url}/images/{bench.match}")
    page.wait_for_selector("#similar-images img")


def _review(page: "Page", bench: Bench) -> None:
    page.goto(f"{bench.url}/review")


def _campaign(page: "Page", bench: Bench) -> None:
    page.goto(f"{bench.url}/campaigns")
    page.click("main a[href*='/campaigns/cmp_']")
    page.wait_for_selector("h1")


PAGES: dict[str, Callable[["Page", Bench], None]] = {
    "ask": _ask,
    "compare": _compare,
    "images": _images,
    "image": _image,
    "review": _review,
    "campaign": _campaign,
}
"""Name of the picture -> what leads to the page it shows."""


@contextmanager
def _running(folder: Path) -> Iterator[Bench]:
    """A server on the catalogue of the demo in `folder`, on a free port of this machine."""
    settings = Settings.load(home=folder / "home")
    query = folder / "collection" / "queries" / "fake-with-a-caption.jpg"
    listener = listening("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(configuration(settings, create_app(settings)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        answer = httpx.post(f"{url}/v1/search", files={"image": query.read_bytes()}, timeout=120).raise_for_status()
        yield Bench(url, query, answer.json()["matches"][0]["image"]["image"]["sha256"])
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _small(screenshot: bytes) -> bytes:
    """The screenshot as WebP of at most `MAX_BYTES`.

    Raises:
        ValueError: it is larger at every quality.
    """
    with Image.open(BytesIO(screenshot)) as picture:
        for quality in _QUALITIES:
            data = BytesIO()
            picture.convert("RGB").save(data, "WEBP", quality=quality, method=6)
            if data.tell() <= MAX_BYTES:
                return data.getvalue()
    raise ValueError(f"a picture of the workbench takes more than {MAX_BYTES} bytes at every quality")


def take(folder: Path) -> None:
    """Takes every picture of `PAGES`; `folder` is where `dejafake demo` worked."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("make screenshots needs Chromium: apt-get install chromium")
    if not (folder / "home").is_dir():
        sys.exit(f"there is no demo in {folder}: run `make demo` first")
    PICTURES.mkdir(exist_ok=True)
    with _running(folder) as bench, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, go in PAGES.items():
            page = browser.new_page(viewport=_WINDOW, color_scheme="light", locale="en", timezone_id="UTC")
            go(page, bench)
            page.wait_for_load_state("networkidle")
            (PICTURES / f"{name}.webp").write_bytes(_small(page.screenshot()))
            page.close()
        browser.close()
    rows = "\n".join(f"* {photo.shows}: {photo.credit}, {photo.licence}" for photo in PHOTOGRAPHS.values())
    (PICTURES / "CREDITS.txt").write_text(_CREDITS.format(rows=rows), encoding="utf-8")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
