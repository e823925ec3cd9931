"""Telling the webhooks of watches what was found: in order, at least once, until the receiver is given up."""

import json
import logging
from datetime import datetime
from typing import Any

from pydantic import SecretStr, TypeAdapter

from indexer.catalog import watch_events
from indexer.catalog.database import Catalog
from indexer.catalog.watch_records import DueDelivery, WatchEvent
from indexer.webhooks import LEASE, Webhooks, pause_after

logger = logging.getLogger("dejafake.watching")

_EVENTS = TypeAdapter(tuple[WatchEvent, ...])


class Deliverer:
    """Delivers what is due. Several processes may do so at once: a watch has one delivery at a time."""

    def __init__(self, catalog: Catalog, webhooks: Webhooks) -> None:
        self._catalog = catalog
        self._webhooks = webhooks

    def deliver(self, now: datetime) -> bool | None:
        """Makes the attempt that is due, if one is.

        Returns:
            Whether it arrived; None when nothing was due.

        Raises:
            CatalogError: the catalogue cannot be read or written.
        """
        with self._catalog.reading() as session:
            if not watch_events.any_due(session, now):
                return None
        with self._catalog.writing() as session:
            due = watch_events.take_due(session, now, LEASE)
        if due is None:
            return None
        secret = None if due.secret is None else SecretStr(due.secret)
        failure = self._webhooks.send(due.url, _body(due), _delivery_id(due), now, secret)
        with self._catalog.writing() as session:
            if failure is None:
                watch_events.delivered(session, due.watch.id, due.through, now)
            else:
                pause = pause_after(due.attempts + 1)
                again_at = None if pause is None else now + pause
                watch_events.failed(session, due.watch.id, due.through, failure, again_at=again_at, now=now)
                if again_at is None:
                    logger.error(
                        "the webhook of watch %s is given up after %d attempts; its events are kept: resume the watch "
                        "when the receiver is back",
                        due.watch.id,
                        due.attempts + 1,
                    )
        return failure is None


def _delivery_id(due: DueDelivery) -> str:
    return f"{due.watch.id}.{due.through}"


def _body(due: DueDelivery) -> bytes:
    """The events with the watch they are of; what may change between attempts is left out, so the bytes are the same
    in every one."""
    watch = {"id": due.watch.id, "name": due.watch.name, "kind": due.watch.kind.value}
    events: list[dict[str, Any]] = _EVENTS.dump_python(due.events, mode="json", exclude={"__all__": {"in_catalogue"}})
    return json.dumps({"delivery": _delivery_id(due), "watch": watch, "events": events}).encode()
