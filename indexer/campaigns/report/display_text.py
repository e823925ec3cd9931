"""Makes outside text and addresses safe to show to a person. They still have to be escaped."""

import unicodedata
from urllib.parse import urlsplit

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def shown(value: object, most: int) -> str:
    """Outside text for display: at most `most` characters, with invisible and bidirectional control characters replaced
    by their code points.
    """
    text = str(value)
    cut = text[:most] + ("…" if len(text) > most else "")
    return "".join(
        " " if c in "\n\r\t" else f"[U+{ord(c):04X}]" if unicodedata.category(c) in _HIDDEN else c for c in cut
    )


def is_web_address(url: str) -> bool:
    """Whether a URL may become a link: http or https, a host, and no invisible characters."""
    if any(c.isspace() or unicodedata.category(c) in _HIDDEN for c in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
