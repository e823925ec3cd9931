"""Delivers the events of watches to their webhooks: in order, at least once, until the receiver is given up."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr, TypeAdapter

from indexer.catalog.database import Catalog
from indexer.catalog.records.watches import DueDelivery, WatchEvent
from indexer.catalog.watches import events as watch_events
from indexer.delivery import PAUSES, Attempt, Message, Webhooks, deliver_next
from indexer.errors import CatalogError

logger = logging.getLogger("dejafake.watching")

_EVENTS = TypeAdapter(tuple[WatchEvent, ...])


class Deliverer:
    """Delivers what is due. Several processes may run this at once: a watch has one delivery at a time."""

    def __init__(self, catalog: Catalog, webhooks: Webhooks) -> None:
        self._events = _EventsOfWatches(catalog)
        self._webhooks = webhooks

    def deliver(self, now: datetime) -> bool | None:
        """Makes the attempt that is due, if one is.

        Returns:
            Whether it arrived; None when nothing was due.

        Raises:
            CatalogError: the catalogue cannot be read or written.
        """
        attempt = deliver_next(self._events, self._webhooks, lambda: now)
        return None if attempt is None else attempt.arrived


class _EventsOfWatches:
    """The outbox of watches."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def is_due(self, now: datetime) -> bool:
        with self._catalog.reading() as session:
            return watch_events.any_due(session, now)

    def take(self, now: datetime, lease: timedelta) -> Message[DueDelivery] | None:
        try:
            with self._catalog.writing() as session:
                due = watch_events.take_due(session, now, lease)
        except CatalogError:
            raise
        except Exception:  # of this watch: the others' deliveries go on
            with self._catalog.writing() as session:
                watch_id = watch_events.put_off(session, now, now + PAUSES[-1])
            logger.exception("what watch %s found cannot be told now; it is tried again later", watch_id)
            return None
        if due is None:
            return None
        secret = None if due.secret is None else SecretStr(due.secret)
        return Message(due, due.url, _body(due), _delivery_id(due), due.attempts, secret)

    def settle(self, message: Message[DueDelivery], attempt: Attempt, now: datetime) -> None:
        watch_id, through, again_at = message.taken.watch.id, message.taken.through, attempt.again_at
        with self._catalog.writing() as session:
            if attempt.failure is None:
                watch_events.delivered(session, watch_id, through, now)
                return
            watch_events.failed(session, watch_id, through, attempt.failure, again_at=again_at, now=now)
            if again_at is None:
                logger.error(
                    "the webhook of watch %s is given up after %d attempts; its events are kept: resume the watch "
                    "when the receiver is back",
                    watch_id,
                    attempt.number,
                )


def _delivery_id(due: DueDelivery) -> str:
    return f"{due.watch.id}_{due.through}"


def _body(due: DueDelivery) -> bytes:
    """The events and their watch. Leaves out anything that may change between attempts, so that every attempt sends the
    same bytes.
    """
    watch = {"id": due.watch.id, "name": due.watch.name, "kind": due.watch.kind.value}
    events: list[dict[str, Any]] = _EVENTS.dump_python(due.events, mode="json", exclude={"__all__": {"in_catalogue"}})
    return json.dumps({"delivery": _delivery_id(due), "watch": watch, "events": events}).encode()
