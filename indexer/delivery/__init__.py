"""Telling others over HTTP: where that may go to (`targets`), how it is signed (`signing`), one attempt (`sending`),
and when the next is made (`attempts`)."""

from indexer.delivery.attempts import Attempt, Message, Outbox, deliver_next
from indexer.delivery.sending import DEADLINE, LEASE, PAUSES, Webhooks, pause_after

__all__ = ["DEADLINE", "LEASE", "PAUSES", "Attempt", "Message", "Outbox", "Webhooks", "deliver_next", "pause_after"]
