"""Telling somebody that a job has ended: one signed POST, tried again for hours, only to addresses that are allowed.

A callback is the only request this server ever makes at a client's wish. Its host is resolved here, every address must
be public (unless the operator named the host), and the connection goes to an address that was checked: what the name
resolves to later does not matter. No redirect is followed and no proxy used.
"""

import hashlib
import hmac
import ipaddress
import json
import logging
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import httpx

from indexer.catalog import jobs
from indexer.catalog.database import Catalog
from indexer.catalog.job_records import DueCallback
from indexer.errors import UsageError
from indexer.settings import Settings
from search_api.schemas import JobStatus

logger = logging.getLogger("dejafake.api")

SIGNATURE: Final = "Dejafake-Signature"
"""`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over the seconds, a full stop and the body, with the callback secret."""
DELIVERY: Final = "Dejafake-Delivery"
"""The job's id: the same in every attempt."""
_AGAIN: Final = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 600, 3_600, 21_600))
"""Pauses after failed attempts; after the last one it is given up."""
_TIMEOUT: Final = 10.0
_MOST_ADDRESSES: Final = 3
_EMBEDDING_V4: Final = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))
"""IPv6 ranges that lead to an IPv4 address inside them: NAT64 and 6to4."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Callbacks:
    """Delivers what is due. `settings` gives the secret and the hosts that are allowed whatever their addresses."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self._secret = settings.callback_secret
        self._trusted = frozenset(host.lower() for host in settings.callback_hosts)

    def check(self, url: str) -> None:
        """
        Raises:
            UsageError: callbacks are not set up, or none could ever go to this address.
        """
        if self._secret is None:
            raise UsageError("callbacks are signed, and this server has no key: set DEJAFAKE_CALLBACK_SECRET, or poll")
        parsed = _parsed(url)
        if parsed.host.lower() in self._trusted:
            return
        if parsed.scheme != "https":
            raise UsageError("a callback goes to an https address, unless DEJAFAKE_CALLBACK_HOSTS names its host")
        literal = _literal(parsed.host)
        if literal is not None and not _is_public(literal):
            raise UsageError("a callback goes to a public address, unless DEJAFAKE_CALLBACK_HOSTS names its host")

    def deliver(self) -> bool:
        """Makes the attempt that is due, if one is.

        Returns:
            Whether there was one.

        Raises:
            CatalogError: the catalogue cannot be read or written.
        """
        with self._catalog.reading() as session:
            if not jobs.callbacks_due(session):
                return False
        with self._catalog.writing() as session:
            due = jobs.due_callback(session, timedelta(seconds=6 * _TIMEOUT))
        if due is None:
            return False
        try:
            self.check(due.url)
            self._post(due)
            delivered, again = True, None
        except (UsageError, OSError, ValueError, httpx.HTTPError) as error:
            delivered, again = False, _AGAIN[due.attempts] if due.attempts < len(_AGAIN) else None
            logger.warning(
                "callback of %s, attempt %d: %s", due.job.id, due.attempts + 1, error or type(error).__name__
            )
        with self._catalog.writing() as session:
            jobs.settle_callback(session, due.job.id, delivered=delivered, again_in=again)
        return True

    def _post(self, due: DueCallback) -> None:
        """One attempt at the first address that is reached; anything but an answer of 2xx raises."""
        url = _parsed(due.url)
        body = json.dumps(JobStatus.of(due.job).model_dump(mode="json")).encode()
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            SIGNATURE: signature(self._key(), body, int(time.time())),
            DELIVERY: due.job.id,
        }
        *others, last = _resolved(url, trusted=url.host.lower() in self._trusted)[:_MOST_ADDRESSES]
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                _send(url, address, body, headers)
                return
        _send(url, last, body, headers)

    def _key(self) -> bytes:
        return b"" if self._secret is None else self._secret.get_secret_value().encode()


def _send(url: httpx.URL, address: Address, body: bytes, headers: Mapping[str, str]) -> None:
    """
    Raises:
        OSError: the answer is not 2xx.
        httpx.HTTPError: there is none.
    """
    with (
        httpx.Client(trust_env=False, follow_redirects=False, timeout=_TIMEOUT) as client,
        client.stream(
            "POST",
            url.copy_with(host=str(address)),
            content=body,
            headers=dict(headers),
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        ) as answer,
    ):
        if not answer.is_success:
            raise OSError(f"answered with {answer.status_code}")


def signature(key: bytes, body: bytes, seconds: int) -> str:
    """The value of the header `Dejafake-Signature`; receivers make it anew and compare, and refuse old times."""
    digest = hmac.new(key, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def _parsed(url: str) -> httpx.URL:
    """
    Raises:
        UsageError: not an http(s) address, or it carries a user name.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise UsageError("callback_url is not a web address") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise UsageError("callback_url is an http or https address without a user name")
    return parsed


def _resolved(url: httpx.URL, *, trusted: bool) -> Sequence[Address]:
    """The addresses of the host, at least one.

    Raises:
        OSError: it cannot be resolved, or one of them is not public and it is not trusted.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    found = socket.getaddrinfo(url.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    addresses: Sequence[Address] = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not trusted and not all(_is_public(address) for address in addresses):
        raise OSError("the host has an address that is not public; DEJAFAKE_CALLBACK_HOSTS does not name it")
    return addresses


def _is_public(address: Address) -> bool:
    """Whether an address is one of the internet's; such as lead to another one inside them are not."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None or address.teredo is not None:
            return False
        if any(address in network for network in _EMBEDDING_V4):
            return False
    return address.is_global and not address.is_multicast


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
