"""Saved queries that report when later images match: the watched pictures, the search, and the delivery."""

from indexer.watching.delivering import Deliverer
from indexer.watching.pictures import picture_of_bytes, picture_of_known
from indexer.watching.searching import Alerts, Lookout

__all__ = ["Alerts", "Deliverer", "Lookout", "picture_of_bytes", "picture_of_known"]
