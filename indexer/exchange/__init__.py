"""What leaves dejafake for other people's tools, and what comes in from them."""

from indexer.exchange.export import export_images
from indexer.exchange.reviews import SignOff, read_reviews

__all__ = ["SignOff", "export_images", "read_reviews"]
