"""What the spellings of one web address have in common: one key, wherever addresses are compared.

Scheme, default port, case of the host, dot segments and percent-encoding are equal by RFC 3986 (6.2) and UTS 46. The
rest is a table: parameters that only tell who led a reader here, hosts for small screens, platforms with several names.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

from indexer.addresses import tables

_LONGEST: Final = 16_384
"""Longer addresses are compared as they stand: nobody passes them on in other spellings."""
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE: Final = re.compile(r"%([0-9a-fA-F]{2})")
_BARE: Final = re.compile(r"(?://)?[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}(?::[0-9]+)?(?:[/?#].*)?", re.DOTALL)
"""An address without a scheme, as people type it."""
_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
_AMP_CACHES: Final = (
    (re.compile(r"(?:www\.)?google(?:\.[a-z]{2,3}){1,2}"), re.compile(r"/amp/(?:s/)?([^/]+\.[^/]+.*)", re.DOTALL)),
    (re.compile(r"(?:.+\.)?cdn\.ampproject\.org"), re.compile(r"/[cvi]/(?:s/)?([^/]+\.[^/]+.*)", re.DOTALL)),
)
"""Copies of pages that name in their path what they are copies of."""
_WIKIPEDIA: Final = re.compile(r"^([a-z-]+)\.m\.(wiki[a-z]+\.org)$")
_SESSION: Final = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)

_Parts = tuple[str, str, list[tuple[str, str]]]
"""Host, path and parameters."""


def address_key(url: str) -> str:
    """The key of a web address: equal for two spellings of one, different for two addresses. Anything that is no http
    or https address is its own key.

    The scheme is left out, and so are a fragment (but for one that is a path, `#!/…` or `#/…`), a slash at the end,
    parameters of `tables.TRACKING`, and `www.`, `m.`, `mobile.` and `amp.` before a host. Parameters are put in
    the order of their names. Case of path and parameters counts.
    """
    text = "".join(url.split("\n")).strip("\t\r\v\f \u00a0\u200b\ufeff\0").replace("\t", "").replace("\r", "")
    text = text.replace("&amp;", "&")  # as HTML writes it
    if len(text) > _LONGEST:
        return text
    with suppress(ValueError):  # brackets that hold no address, ports that are no number
        return _key(f"https://{text.removeprefix('//')}" if _BARE.fullmatch(text) else text)
    return text


def _key(text: str, *, inner: bool = False) -> str:
    parts = urlsplit(text)
    if parts.scheme not in _PORTS or not parts.hostname:
        return text
    host, path = _host(parts.hostname), _path(parts.path)
    if parts.port not in (None, _PORTS[parts.scheme]):
        host += f":{parts.port}"
    user = f"{parts.username}:{parts.password or ''}@" if parts.username else ""
    original = next(
        (match[1] for name, at in _AMP_CACHES if name.fullmatch(host) and (match := at.fullmatch(path))), None
    )
    if original is not None and not inner:
        return _key(f"https://{original}" + (f"?{parts.query}" if parts.query else ""), inner=True)
    host = tables.ALIASES.get(host) or _without_prefix(host)
    host = _WIKIPEDIA.sub(r"\1.\2", tables.ALIASES.get(host, host))
    host, path, parameters = _of_platform((host, path, _parameters(parts.query)))
    kept = sorted((pair for pair in parameters if not _is_tracking(pair, host)), key=lambda pair: pair[0])
    query = "&".join(f"{name}={value}" for name, value in kept)
    route = f"#{_encoded(parts.fragment)}" if parts.fragment.startswith(("!", "/")) and len(parts.fragment) > 1 else ""
    return f"{user}{host}{path.rstrip('/') or '/'}{'?' if query else ''}{query}{route}"


def _host(name: str) -> str:
    """A host in lower case, without a dot at its end, and in the form that the network has (`xn--…`)."""
    lowered = name.rstrip(".").lower()
    if lowered.isascii():
        return f"[{lowered}]" if ":" in lowered else lowered
    import idna

    with suppress(idna.IDNAError):
        return idna.encode(lowered, uts46=True).decode("ascii")
    return lowered


def _without_prefix(host: str) -> str:
    """A host without `www.` and without what its pages for small screens stand under. What is left must be a name of
    its own: `m.co.uk` is not `co.uk`."""
    for prefixes in (("www.",), ("m.", "mobile.", "amp.")):
        for prefix in prefixes:
            rest = host.removeprefix(prefix)
            if rest != host and _is_registered(rest):
                host = rest
                break
    return host


def _is_registered(host: str) -> bool:
    first, dot, last = host.partition(".")
    if host.replace(".", "").isdigit() or not dot:
        return False
    return "." in last or len(last.partition(":")[0]) > 2 or first not in tables.SECOND_LEVEL


def _path(path: str) -> str:
    """A path without dot segments and session ids, each character encoded in one way."""
    kept: list[str] = []
    for segment in _SESSION.sub("", _encoded(path)).split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


def _encoded(text: str) -> str:
    """Text with unreserved characters as they are, and all others that an address cannot hold as %XX in upper case."""
    decoded = _ESCAPE.sub(_unescaped, text)
    return quote(decoded, safe="%/?:@!$&'()*+,;=~#[]", errors="replace")


def _unescaped(escape: re.Match[str]) -> str:
    (byte,) = unquote_to_bytes(escape[0])
    return chr(byte) if byte in _UNRESERVED else escape[0].upper()


def _parameters(query: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(_encoded(name.replace("+", "%20")), _encoded(value.replace("+", "%20"))) for name, _, value in pairs]


def _is_tracking(pair: tuple[str, str], host: str) -> bool:
    name, value = pair[0].lower(), pair[1].lower()
    if name in tables.TRACKING or name.startswith(tables.TRACKING_PREFIXES):
        return True
    if name == "amp":
        return value in ("", "1", "true")
    return name in tables.TRACKING_OF.get(host, ())


def _of_platform(parts: _Parts) -> _Parts:
    reader = _PLATFORMS.get(parts[0])
    return parts if reader is None else reader(*parts)


def _of_youtube(host: str, path: str, parameters: list[tuple[str, str]]) -> _Parts:
    """A video by its id, wherever in the address that stands; where in a list and at which second says nothing."""
    if host == "youtu.be":
        match = re.fullmatch(r"/([\w-]{11})/?", path)
    else:
        match = re.fullmatch(r"/(?:shorts|embed|live|v)/([\w-]{11})/?", path)
    asked = next((value for name, value in parameters if name == "v" and path.rstrip("/") == "/watch"), None)
    video = match[1] if match else asked
    return (host, path, parameters) if video is None else ("youtube.com", "/watch", [("v", video)])


def _of_x(host: str, path: str, parameters: list[tuple[str, str]]) -> _Parts:
    """A post by its number: any name before it leads there."""
    match = re.fullmatch(r"/(?:[^/]+|i/web)/status(?:es)?/([0-9]+)(/.*)?", path)
    return (host, path if match is None else f"/i/status/{match[1]}{match[2] or ''}", parameters)


def _of_reddit(host: str, path: str, parameters: list[tuple[str, str]]) -> _Parts:
    """A post, or a comment below one, by its id: community and title before and behind it may be left away."""
    if host == "redd.it":
        short = re.fullmatch(r"/([0-9a-z]+)/?", path)
        return (host, path, parameters) if short is None else ("reddit.com", f"/comments/{short[1]}", parameters)
    match = re.fullmatch(r"(?:/(?:r|u|user)/[^/]+)?/comments/([0-9a-z]+)(?:/[^/]*(?:/([0-9a-z]+))?)?/?", path)
    if match is None:
        return host, path, parameters
    return host, f"/comments/{match[1]}" + (f"/_/{match[2]}" if match[2] else ""), parameters


def _of_instagram(host: str, path: str, parameters: list[tuple[str, str]]) -> _Parts:
    """A post by its id: whose it is, and in which player it is shown, says nothing."""
    match = re.fullmatch(r"(?:/[^/]+)?/(?:p|reel|reels|tv)/([\w-]+)/?", path)
    return host, path if match is None else f"/p/{match[1]}", parameters


def _of_facebook(host: str, path: str, parameters: list[tuple[str, str]]) -> _Parts:
    """A photograph by its number; the album it is looked at in says nothing."""
    number = next((value for name, value in parameters if name == "fbid"), None)
    if number is None or path.rstrip("/") not in ("/photo", "/photo.php"):
        return host, path, parameters
    return host, "/photo.php", [("fbid", number)]


def _of_telegram(host: str, path: str, parameters: list[tuple[str, str]]) -> _Parts:
    """A post as the page for browsers (`/s/`) or as itself."""
    match = re.fullmatch(r"/s(/[^/]+/[0-9]+)/?", path)
    return host, path if match is None else match[1], parameters


_PLATFORMS: Final[Mapping[str, Callable[[str, str, list[tuple[str, str]]], _Parts]]] = {
    "youtube.com": _of_youtube,
    "youtu.be": _of_youtube,
    "x.com": _of_x,
    "reddit.com": _of_reddit,
    "redd.it": _of_reddit,
    "t.me": _of_telegram,
    "instagram.com": _of_instagram,
    "facebook.com": _of_facebook,
}
