"""Telling others over HTTP: one signed POST, only to addresses that are allowed, and when to try again.

These are the only requests that are ever made at somebody's wish. The host is resolved here, every address must be
public (unless the operator named the host), and the connection goes to an address that was checked: what the name
resolves to later does not matter. No redirect is followed and no proxy used. Who remembers what is to be told, and how
often it was tried, is the caller.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import httpx
from pydantic import SecretStr

from indexer.errors import UsageError
from indexer.settings import Settings

logger = logging.getLogger("dejafake.webhooks")

SIGNATURE: Final = "Dejafake-Signature"
"""`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over the seconds, a full stop and the body, with the receiver's key."""
DELIVERY: Final = "Dejafake-Delivery"
"""Names what is told: the same in every attempt."""
DEADLINE: Final = 20.0
"""Seconds that one attempt may take from its first connection to the answer's headers, however busy the receiver is."""
PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 600, 3_600, 21_600))
"""Pauses after failed attempts; after the last one it is given up."""
LEASE: Final = timedelta(seconds=6 * DEADLINE)
"""How long whoever makes an attempt has for it, slow name servers included, before another may make it."""
_SILENCE: Final = 10.0
_MOST_ADDRESSES: Final = 3
_WORDS: Final = 300
_EMBEDDING_V4: Final = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))
"""IPv6 ranges that lead to an IPv4 address inside them: NAT64 and 6to4."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after this many failed attempts, at least 1; None: it is given up."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None


class Webhooks:
    """Sends what it is given. `settings` gives the key and the hosts that are allowed whatever their addresses."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.callback_secret
        self._trusted = frozenset(host.lower() for host in settings.callback_hosts)

    def check(self, url: str, secret: SecretStr | None = None) -> None:
        """Refuses what could never be sent; `secret` is the receiver's own key, if it has one.

        Raises:
            UsageError: there is no key to sign with, or nothing may go to this address.
        """
        if self._secret is None and secret is None:
            raise UsageError("callbacks are signed, and there is no key: set DEJAFAKE_CALLBACK_SECRET, or poll")
        parsed = _parsed(url)
        if parsed.host.lower() in self._trusted:
            return
        if parsed.scheme != "https":
            raise UsageError("a callback goes to an https address, unless DEJAFAKE_CALLBACK_HOSTS names its host")
        literal = _literal(parsed.host)
        if literal is not None and not _is_public(literal):
            raise UsageError("a callback goes to a public address, unless DEJAFAKE_CALLBACK_HOSTS names its host")

    def send(self, url: str, body: bytes, delivery: str, now: datetime, secret: SecretStr | None = None) -> str | None:
        """Makes one attempt to POST a JSON body, at the first address that is reached.

        Args:
            delivery: names what is told; the receiver recognises a repetition by it.
            now: the time that is signed.
            secret: the receiver's own key; None takes the installation's.

        Returns:
            None when the receiver answered with 2xx, else in a few words why it counts as not told.
        """
        try:
            self.check(url, secret)
            self._post(_parsed(url), body, delivery, int(now.timestamp()), secret or self._secret or SecretStr(""))
        except (UsageError, OSError, ValueError, httpx.HTTPError) as error:
            why = str(error)[:_WORDS] or type(error).__name__
            logger.warning("%s was not delivered: %s", delivery, why)
            return why
        return None

    def _post(self, url: httpx.URL, body: bytes, delivery: str, seconds: int, key: SecretStr) -> None:
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            SIGNATURE: signature(key.get_secret_value().encode(), body, seconds),
            DELIVERY: delivery,
        }
        addresses = _resolved(url, trusted=url.host.lower() in self._trusted)[:_MOST_ADDRESSES]
        asyncio.run(_send_within(url, addresses, body, headers, DEADLINE))


async def _send_within(
    url: httpx.URL, addresses: Sequence[Address], body: bytes, headers: Mapping[str, str], seconds: float
) -> None:
    """To the first address that is reached, all of it within `seconds`: httpx itself only bounds each silence.

    Raises:
        OSError: the answer is not 2xx, or not there in time.
        httpx.HTTPError: there is none.
    """
    *others, last = addresses
    try:
        async with asyncio.timeout(seconds):
            for address in others:
                with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    await _send(url, address, body, headers)
                    return
            await _send(url, last, body, headers)
    except TimeoutError:
        raise TimeoutError(f"no answer within {seconds:g} seconds") from None


async def _send(url: httpx.URL, address: Address, body: bytes, headers: Mapping[str, str]) -> None:
    async with (
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=_SILENCE) as client,
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
        raise UsageError("the callback's address is not a web address") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise UsageError("a callback goes to an http or https address without a user name")
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
