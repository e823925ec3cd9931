"""Tests of the room `indexer.review`."""
