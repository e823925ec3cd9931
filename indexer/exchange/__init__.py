"""What leaves dejafake for other people's tools."""

from indexer.exchange.export import export_images

__all__ = ["export_images"]
