"""Reads JSON-LD from files: a JSON document, or the script blocks of an HTML page."""

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from indexer.errors import SourceError
from indexer.exchange.reviews.mending import values_of

MAX_BYTES = 64 * 2**20
"""Largest document, in bytes. The largest public feed of fact-checks has some tens of megabytes."""
MAX_PAGE_BYTES = 8 * 2**20
"""Longest HTML page."""
MAX_DEPTH = 40
_BLANKS = " \t\r\n\f\v\u00a0\u200b\ufeff\0"


def documents(data: str | bytes) -> tuple[list[Any], list[str]]:
    """The JSON values in a text, and the problems of blocks that hold none. A document's single value, or the list of
    its values if it has several.

    Raises:
        SourceError: neither JSON nor HTML, nested too deeply, or too long.
    """
    text = _text(data)
    if is_page(text):
        return _page(text)
    try:
        values = values_of(text.strip(_BLANKS))
    except ValueError as error:
        raise SourceError(
            f"this is neither JSON-LD nor an HTML page ({error}); save the page or the feed itself"
        ) from None
    return [values[0] if len(values) == 1 else values], []


def is_page(text: str) -> bool:
    """Whether a text is an HTML page rather than a JSON document."""
    return text.lstrip(_BLANKS).startswith("<")


def _text(data: str | bytes) -> str:
    if len(data) > MAX_BYTES:
        raise SourceError(f"the document is longer than {MAX_BYTES // 2**20} MiB; split the feed")
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    return data.decode(json.detect_encoding(data), "replace").removeprefix("\ufeff")


def _page(text: str) -> tuple[list[Any], list[str]]:
    if len(text) > MAX_PAGE_BYTES:
        raise SourceError(f"the page is longer than {MAX_PAGE_BYTES // 2**20} MiB; save its JSON-LD alone")
    parser = _Blocks()
    parser.feed(text)  # never closed: what is not finished is dropped, and finishing it can take quadratic time
    objects: list[Any] = []
    problems: list[str] = []
    for line, block in parser.blocks:
        try:
            values = values_of(block.strip(_BLANKS))
            if any(map(_is_too_deep, values)):
                raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
            objects += values
        except ValueError as error:
            problems.append(f"the JSON-LD block at line {line} cannot be read: {error}")
    if parser.unfinished is not None:
        problems.append(f"the JSON-LD block at line {parser.unfinished} has no end: the page is cut")
    return objects, problems


def _is_too_deep(value: Any) -> bool:
    """Uses the same limit as the search for reviews (`reading.objects_in`)."""
    pending = [(value, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            return True
        if isinstance(node, Mapping):
            pending.extend((inner, depth + 1) for name, inner in node.items() if name != "@context")
        elif isinstance(node, list):
            pending.extend((inner, depth + 1) for inner in node)
    return False


class _Blocks(HTMLParser):
    """Collects the `application/ld+json` script blocks of a page with the lines they begin at."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[tuple[int, str]] = []
        self._open: tuple[int, list[str]] | None = None

    @property
    def unfinished(self) -> int | None:
        """The first line of a block that is never closed."""
        return None if self._open is None else self._open[0]

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
