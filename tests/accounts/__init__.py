"""Tests of the room `indexer.accounts`."""
