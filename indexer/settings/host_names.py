"""Host names as HTTP writes them: a name or an address, IPv6 in brackets, perhaps a port; anything else is none."""

import re
from ipaddress import IPv6Address
from typing import Final

_NAME: Final = re.compile(r"([A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?)(?::(\d{0,5}))?", re.ASCII)
_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::(\d{0,5}))?", re.ASCII)


def host_name(header: str) -> str | None:
    """The name in a Host header, lower case and without its port; IPv6 addresses in brackets and in their short form.

    None when it is no such thing: empty, with a user name, with something after the brackets, with a trailing dot.
    """
    match = _BRACKETED.fullmatch(header) or _NAME.fullmatch(header)
    if match is None or int(match[2] or 0) > 65_535:
        return None
    if match.re is _NAME:
        return match[1].lower()
    try:
        return f"[{IPv6Address(match[1]).compressed}]"
    except ValueError:
        return None
