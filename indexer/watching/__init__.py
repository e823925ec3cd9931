"""Saved queries that report when a later ingest matches: what is watched, looking for it, telling of it."""

from indexer.watching.delivering import Deliverer
from indexer.watching.looking import Alerts, Lookout
from indexer.watching.pictures import picture_of_bytes, picture_of_known

__all__ = ["Alerts", "Deliverer", "Lookout", "picture_of_bytes", "picture_of_known"]
