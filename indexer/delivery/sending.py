"""Telling others over HTTP: one signed POST, only to addresses that are allowed, and when to try again.

These are the only requests that are ever made at somebody's wish. The host is resolved here, every address must be
public (unless the operator named the host), and the connection goes to an address that was checked: what the name
resolves to later does not matter. No redirect is followed and no proxy used. Who remembers what is to be told, and how
often it was tried, is the caller.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import httpx
from pydantic import SecretStr

from indexer.delivery.signing import key_bytes, signed_headers
from indexer.delivery.targets import Address, AllowedHosts, Target, resolved, target_of
from indexer.errors import UsageError
from indexer.settings import Settings

logger = logging.getLogger("dejafake.webhooks")

DEADLINE: Final = 20.0
"""Seconds that one attempt may take from its first connection to the answer's headers, however busy the receiver is."""
PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 600, 3_600, 21_600))
"""Pauses after failed attempts; after the last one it is given up."""
LEASE: Final = timedelta(seconds=6 * DEADLINE)
"""How long whoever makes an attempt has for it, slow name servers included, before another may make it."""
_SILENCE: Final = 10.0
_MOST_ADDRESSES: Final = 3
_WORDS: Final = 300


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after this many failed attempts, at least 1; None: it is given up."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None


class Webhooks:
    """Sends what it is given. `settings` gives the key and the hosts that are allowed whatever their addresses.

    Raises:
        UsageError: one of these is no host.
    """

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.callback_secret
        self._allowed = AllowedHosts(settings.callback_hosts)

    def check(self, url: str, secret: SecretStr | None = None) -> None:
        """Refuses what could never be sent; `secret` is the receiver's own key, if it has one.

        Raises:
            UsageError: there is no key to sign with, or none that can sign, or nothing may go to this address.
        """
        if self._secret is None and secret is None:
            raise UsageError("callbacks are signed, and there is no key: set DEJAFAKE_CALLBACK_SECRET, or poll")
        key_bytes(secret or self._secret or SecretStr(""))
        target = target_of(url)
        if self._allowed.cover(target):
            return
        if target.url.scheme != "https":
            raise UsageError(f"a callback goes to an https address, unless {_named(target)}")
        if not target.may_be_public:
            raise UsageError(f"a callback goes to a public address, unless {_named(target)}")

    def send(self, url: str, body: bytes, delivery: str, now: datetime, secret: SecretStr | None = None) -> str | None:
        """Makes one attempt to POST a JSON body, at the first address that is reached.

        Args:
            delivery: names what is told, without a full stop; the receiver recognises a repetition by it.
            now: the time that is signed.
            secret: the receiver's own key; None takes the installation's.

        Returns:
            None when the receiver answered with 2xx, else in a few words why it counts as not told.
        """
        try:
            self.check(url, secret)
            signed = signed_headers(secret or self._secret or SecretStr(""), delivery, body, now)
            self._post(target_of(url), body, signed)
        except (UsageError, OSError, ValueError, httpx.HTTPError) as error:
            why = str(error)[:_WORDS] or type(error).__name__
            logger.warning("%s was not delivered: %s", delivery, why)
            return why
        except Exception:
            logger.exception("%s could not be sent", delivery)  # counts as an attempt, so that it is given up one day
            return "the server failed to send it; its log tells why"
        return None

    def _post(self, target: Target, body: bytes, signed: Mapping[str, str]) -> None:
        headers = {
            "Host": target.url.netloc.decode("ascii"),
            "Content-Type": "application/json",
            **signed,
        }
        addresses = resolved(target, trusted=self._allowed.cover(target))[:_MOST_ADDRESSES]
        asyncio.run(_send_within(target.url, addresses, body, headers, DEADLINE))


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


def _named(target: Target) -> str:
    where = target.host if target.literal is None or ":" not in target.host else f"[{target.host}]"
    port = "" if target.on_default_port else f":{target.port}"
    return f"DEJAFAKE_CALLBACK_HOSTS names {where}{port}"
