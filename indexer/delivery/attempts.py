"""Trying until something is told or its receiver is given up: take what is due, send it, settle what came of it.

An `Outbox` remembers what is to be told. What it hands out is taken for `LEASE`: a process that dies in between loses
nothing, and two processes do not tell the same at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from pydantic import SecretStr

from indexer.delivery.sending import LEASE, Webhooks, pause_after

Taken = TypeVar("Taken")


@dataclass(frozen=True, slots=True)
class Message(Generic[Taken]):
    """What is to be told, and where. `delivery` names it, the same in every attempt; `failures` were there before;
    `secret` is the receiver's own key, if it has one; `taken` is the outbox's own record of it."""

    taken: Taken
    url: str
    body: bytes
    delivery: str
    failures: int
    secret: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of an attempt, the `number`th: `failure` is None when it arrived; `again_at` is None when it did or
    the receiver is given up."""

    number: int
    failure: str | None
    again_at: datetime | None

    @property
    def arrived(self) -> bool:
        """Whether the receiver has it."""
        return self.failure is None


class Outbox(Protocol[Taken]):
    """Remembers what is to be told, and how often that was tried. Each method is one transaction."""

    def is_due(self, now: datetime) -> bool:
        """Whether something is; reads only, and is asked before `take`."""

    def take(self, now: datetime, lease: timedelta) -> Message[Taken] | None:
        """What has waited longest, which is due again after `lease`; None when another process was there before."""

    def settle(self, message: Message[Taken], attempt: Attempt, now: datetime) -> None:
        """Records what became of an attempt."""


def deliver_next(outbox: Outbox[Taken], webhooks: Webhooks, clock: Callable[[], datetime]) -> Attempt | None:
    """Makes the attempt that is due; None when nothing is.

    Raises:
        CatalogError: the outbox cannot be read or written.
    """
    if not outbox.is_due(clock()):
        return None
    message = outbox.take(clock(), LEASE)
    if message is None:
        return None
    number = message.failures + 1
    failure = webhooks.send(message.url, message.body, message.delivery, clock(), message.secret)
    pause = None if failure is None else pause_after(number)
    attempt = Attempt(number, failure, None if pause is None else clock() + pause)
    outbox.settle(message, attempt, clock())
    return attempt
