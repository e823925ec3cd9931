"""Ids, times and addresses in STIX form. The same catalogue gives the same ids."""

import re
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid5

from indexer.sources.cells import as_url

NAMESPACE = UUID("6c1f6f0e-5a0b-5c35-9d0e-7d1f0c5b8a61")
"""Of the UUIDv5 ids of domain objects. Observables take the ids that STIX 2.1 section 2.9 derives from their content,
so that one picture has one id in everybody's bundles."""
BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
"""The creation time of the objects that never change: the tool itself and its extension."""

_EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)
_PATH = "/%:@!$&'()*+,;=~"
_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%-]*(\[[0-9A-Fa-f:.]+\](:\d+)?)?")


def stix_id(kind: str, *facts: str) -> str:
    """The id of a domain object of a kind that these facts name."""
    return f"{kind}--{uuid5(NAMESPACE, chr(0).join((kind, *facts)))}"


def usable_time(moment: datetime | None) -> datetime | None:
    """The time if its year has four digits, else None."""
    return moment if moment is not None and moment >= _EARLIEST else None


def as_uri(text: str | None) -> str | None:
    """A web address as a URI (RFC 3986), with other characters percent-encoded. None if it is not an address."""
    try:
        if text is None:
            return None
        parts = urlsplit(as_url(text))
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    except ValueError:  # UnicodeError is one
        return None
    if not _HOST.fullmatch(host):
        return None
    path, query, fragment = (
        re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", quote(part, safe=_PATH + more))
        for part, more in ((parts.path, ""), (parts.query, "?"), (parts.fragment, "?"))
    )
    return f"{parts.scheme}://{host}{path}{query and '?' + query}{fragment and '#' + fragment}"
