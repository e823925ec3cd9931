"""JSON-LD as it lies in files: a JSON document, or the script blocks of an HTML page."""

import json
import math
from html.parser import HTMLParser
from typing import Any

from indexer.errors import SourceError

MAX_BYTES = 64 * 2**20
"""Longest document: the largest public feed of fact-checks has some tens of megabytes."""
MAX_PAGE_BYTES = 8 * 2**20
"""Longest HTML page."""
_WRAPPINGS = (("<!--", "-->"), ("//<![CDATA[", "//]]>"), ("<![CDATA[", "]]>"))


def documents(data: str | bytes) -> tuple[list[Any], list[str]]:
    """The JSON values in a text, and what is wrong with the blocks of a page that hold none.

    Raises:
        SourceError: neither JSON nor HTML, nested too deeply, or too long.
    """
    text = _text(data)
    start = text.lstrip()[:1]
    if start == "<":
        return _page(text)
    try:
        return [_json(text)], []
    except ValueError as error:
        raise SourceError(
            f"this is neither JSON-LD nor an HTML page ({error}); save the page or the feed itself"
        ) from None


def _text(data: str | bytes) -> str:
    if len(data) > MAX_BYTES:
        raise SourceError(f"the document is longer than {MAX_BYTES // 2**20} MiB; split the feed")
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    return data.decode(json.detect_encoding(data), "replace").removeprefix("\ufeff")


def _json(text: str) -> Any:
    try:
        return json.loads(text, strict=False, parse_constant=lambda _: None, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _page(text: str) -> tuple[list[Any], list[str]]:
    if len(text) > MAX_PAGE_BYTES:
        raise SourceError(f"the page is longer than {MAX_PAGE_BYTES // 2**20} MiB; save its JSON-LD alone")
    parser = _Blocks()
    parser.feed(text)  # never closed: what is not finished is dropped, and finishing it can take quadratic time
    found: list[Any] = []
    problems: list[str] = []
    for line, block in parser.blocks:
        try:
            found.append(_json(_unwrapped(block)))
        except ValueError as error:
            problems.append(f"the JSON-LD block at line {line} cannot be read: {error}")
    return found, problems


def _unwrapped(block: str) -> str:
    """A block without the comment or CDATA marks that some pages put around it."""
    text = block.strip()
    for opening, closing in _WRAPPINGS:
        if text.startswith(opening):
            text = text.removeprefix(opening).removesuffix(closing).strip()
    return text


class _Blocks(HTMLParser):
    """Collects the `application/ld+json` script blocks of a page with the lines they begin at."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[tuple[int, str]] = []
        self._open: tuple[int, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins."""
        kind = next((value or "" for name, value in attrs if name == "type"), "")
        if tag == "script" and kind.partition(";")[0].strip().lower() == "application/ld+json":
            self._open = (self.getpos()[0], [])

    def handle_data(self, data: str) -> None:
        """Part of a block."""
        if self._open is not None:
            self._open[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        """A block ends."""
        if tag == "script" and self._open is not None:
            line, parts = self._open
            self.blocks.append((line, "".join(parts)))
            self._open = None
