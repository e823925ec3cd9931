"""Decodes text in EXIF.

Its declared character set is often wrong (UTF-8 marked as UNICODE, UTF-16 in the other byte order), so the most
plausible decoding is used.
"""

import codecs
import unicodedata
from contextlib import suppress

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PREFIX = 8
_CHARSETS = (b"ASCII\0\0\0", b"JIS\0\0\0\0\0", b"UNICODE\0", b"\0\0\0\0\0\0\0\0")
_LOOKED_AT = 4_096
"""Characters by which an encoding is judged."""
_SURELY_ASCII = 16
"""Bytes from which text in ASCII alone is not taken for UTF-16, of which a few characters may look like that."""
_UNLIKELY = frozenset({"Cn", "Co", "Cs", "Cc"})
"""Categories of characters that text holds none of: unassigned, private, half a pair, control."""


def comment_text(content: bytes, order: str) -> str | None:
    """A UserComment: eight bytes that name a character set, then the text. Many programs leave the eight away.

    Args:
        content: the tag's bytes.
        order: byte order of the block, `<` or `>`.
    """
    prefix = content[:_PREFIX].upper()
    if prefix.startswith(b"UNICODE"):
        behind = _PREFIX if prefix in _CHARSETS or prefix[7:] == b" " else 7
        return _cleaned(_decoded(content[behind:], order, wide=True))
    rest = content[_PREFIX:] if prefix in _CHARSETS else content
    if prefix.startswith(b"JIS\0"):
        return _cleaned(_japanese(rest, order))
    return _cleaned(_decoded(rest, order, wide=False))


def wide_text(content: bytes) -> str | None:
    """Text of the tags that Windows writes (XPTitle, XPComment …): UTF-16, little-endian."""
    return _cleaned(_decoded(content, "<", wide=True))


def plain_text(content: bytes) -> str | None:
    """Text that ends at its first NUL: UTF-8, else Latin-1; or UTF-16, which has NULs inside."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _has_nul_between(content):
        return _cleaned(_decoded(content, "<", wide=False))
    narrow = content.removeprefix(codecs.BOM_UTF8).split(b"\0", 1)[0]
    try:
        return narrow.decode("utf-8").strip() or None
    except UnicodeDecodeError:
        return narrow.decode("latin-1").strip() or None


def _decoded(content: bytes, order: str, *, wide: bool) -> str:
    """The text in the encoding that it is likeliest in; `wide` says that its program calls it UTF-16."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            behind = content[len(mark) :]
            return behind[: len(behind) & ~1 if "16" in encoding else None].decode(encoding, "replace")
    narrow = _utf8(content.rstrip(b"\0"))
    if narrow is not None and "\0" not in narrow:
        if not wide or not narrow.isascii() or len(narrow) >= _SURELY_ASCII or len(narrow) % 2:
            return narrow
    elif not wide and not _has_nul_between(content):
        return content.decode("utf-8", "replace")
    even = content[: len(content) & ~1]
    first, second = ("utf-16-le", "utf-16-be") if order == "<" else ("utf-16-be", "utf-16-le")
    texts = [even.decode(encoding, "replace") for encoding in (first, second)]
    return max(texts, key=_likelihood)  # of equals the first: the block's own order


def _likelihood(text: str) -> tuple[int, int]:
    """How plausible a decoded text is: few characters that no text holds, then many of ASCII, in which all generators
    name their settings. In the wrong order, ASCII becomes rare signs and blanks become U+2000."""
    letters = text[:_LOOKED_AT].rstrip("\0")
    unlikely = sum(
        letter == "\ufffd" or (letter not in "\t\n\r" and unicodedata.category(letter) in _UNLIKELY)
        for letter in letters
    )
    ascii_only = sum(" " <= letter <= "~" or letter in "\t\n\r" for letter in letters)
    return ascii_only - 2 * unlikely, -unlikely


def _has_nul_between(content: bytes) -> bool:
    """Whether there are NULs at every other byte, as in UTF-16 of ASCII letters, and next to none at the bytes between
    (where a few other characters have one)."""
    head = content[: 2 * _LOOKED_AT].rstrip(b"\0")
    least, most = sorted((head[::2].count(0), head[1::2].count(0)))
    return most > 4 * least and (most >= 3 or most * 4 >= len(head))


def _japanese(content: bytes, order: str) -> str:
    """JIS by the book is ISO-2022-JP, which shifts by escapes; some write Shift JIS or UTF-8 instead."""
    stripped = content.rstrip(b"\0")
    for encoding in ("iso2022_jp",) if b"\x1b" in stripped else ("utf-8-sig", "cp932"):
        with suppress(UnicodeDecodeError):
            text = stripped.decode(encoding)
            if "\0" not in text:
                return text
    return _decoded(content, order, wide=False)


def _utf8(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _cleaned(text: str) -> str | None:
    return text.strip("\0\ufeff ") or None
