"""Repairs JSON-LD as content systems write it: in CDATA or comments, with trailing semicolons and commas, as entities.

Only text outside strings is repaired, in one pass each, so the time is linear in the length.
"""

import html
import json
import math
import re
from collections.abc import Iterator
from typing import Any

MAX_MENDED = 2**20
"""Longest text that is repaired, in characters, because several passes are needed. Reviews have some kilobytes."""
_STRING = r'"(?:[^"\\]++|\\.|\\\Z)*+(?:"|\Z)'
_BLANKS = r"[\u00a0\u2007\u202f\u200b-\u200f\u2028\u2029\u2060\ufeff;]"
"""Blanks that JSON does not allow, and semicolons, which mean nothing between values."""
_CDATA = r"<!\[CDATA\[|\]\]>"
_COMMENTS = re.compile(
    rf"(?P<string>{_STRING})|//[^\n\r\u2028\u2029]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
    rf"|<!--(?:[^-]++|-(?!->))*+(?:-->|\Z)|{_CDATA}|{_BLANKS}",
    re.DOTALL,
)
_MARKS = re.compile(rf"(?P<string>{_STRING})|//|/\*|\*/|<!--|-->|{_CDATA}|{_BLANKS}", re.DOTALL)
_COMMAS = re.compile(rf"(?P<string>{_STRING})|,(?=\s*+(?:[}}\]]|\Z))", re.DOTALL)
_BETWEEN = re.compile(r"[\s,]*+")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


def values_of(text: str) -> list[Any]:
    """The JSON values of a text, usually one. Valid JSON is read unchanged. Other text is read without comments, CDATA
    marks, semicolons, commas before a closing bracket and blanks that JSON does not allow, and with HTML entities
    resolved if it is no JSON otherwise. Line breaks inside strings are accepted.

    Raises:
        ValueError: it is not JSON even when repaired; the message describes the original text.
    """
    try:
        return [_DECODER.decode(text)]
    except RecursionError:
        first = ValueError("nested too deeply")
    except ValueError as error:
        first = error
    if len(text) > MAX_MENDED:
        raise first
    for mended in _mended(text):
        try:
            values = _all_values(mended)
        except ValueError:
            continue
        if values:
            return values
    raise first


def _mended(text: str) -> Iterator[str]:
    for spelled in (text, html.unescape(text)) if "&" in text else (text,):
        yield _without(_COMMENTS, spelled)
        yield _without(_COMMENTS, spelled.strip().removeprefix("<!--").removesuffix("-->"))
        yield _without(_MARKS, spelled)


def _without(what: re.Pattern[str], text: str) -> str:
    """A text without matches of a pattern outside its strings, and without trailing commas."""
    return _COMMAS.sub(lambda match: match["string"] or "", what.sub(_kept, text)).strip()


def _kept(match: re.Match[str]) -> str:
    string: str | None = match["string"]
    return " " if string is None else _ESCAPE.sub(_escape, string)


def _escape(match: re.Match[str]) -> str:
    """A valid JSON escape unchanged; otherwise the character without its backslash if it is a quote."""
    said = match[1]
    if len(said) > 1 or said in '"\\/bfnrt':
        return match[0]
    return said if said == "'" else f"\\\\{said}"


def _all_values(text: str) -> list[Any]:
    values: list[Any] = []
    at = 0
    while at < len(text):
        value, at = _value_at(text, at)
        if not isinstance(value, (dict, list)):
            raise ValueError("a text or a number by itself")
        values.append(value)
        between = _BETWEEN.match(text, at)
        at = at if between is None else between.end()
    return values


def _value_at(text: str, at: int) -> tuple[Any, int]:
    """The value that begins at a position, and where it ends."""
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None, parse_float=_finite)
