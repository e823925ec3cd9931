"""A visit to a page in the browser, and what every page must meet."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Visit:
    """A page that keeps what it asked for (`asked`) and what went wrong on it (`wrong`: errors on the console, reports
    of the content security policy among them, and exceptions). `options` are those of a browser context."""

    def __init__(self, browser: "Browser", **options: object) -> None:
        self.context = browser.new_context(**options)  # type: ignore[arg-type]
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def close(self) -> None:
        """Ends the visit; its cookies are gone."""
        self.context.close()

    def elsewhere(self, home: str) -> list[str]:
        """What it asked for that is not of the server `home`."""
        return [url for url in self.asked if not url.startswith((home, "data:", "blob:"))]

    def faults(self) -> list[str]:
        """What axe-core finds on the page as it is now, one line a fault."""
        # A script that the test runs is outside of the page's policy, so nothing has to be loosened for it.
        self.page.evaluate(_axe())
        answer = self.page.evaluate("(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", RULES)
        return [
            f"{fault['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
            for fault in answer["violations"]
            for node in fault["nodes"]
        ]

    def overflow_when_narrow(self) -> int:
        """By how many pixels the page is wider than a window of 1280 pixels at 400 %."""
        self.page.set_viewport_size({"width": 320, "height": 640})
        return self.width_overflow()

    def width_overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        overflow: int = self.page.evaluate(script)
        return overflow


def page_is_clean(visit: Visit, home: str) -> None:
    """Nothing went wrong on the page, it asked for nothing from elsewhere, and axe-core finds no fault."""
    assert visit.wrong == []
    assert visit.elsewhere(home) == []
    assert visit.faults() == []


@cache
def _axe() -> str:
    return (HERE / "axe.min.js").read_text(encoding="utf-8")
