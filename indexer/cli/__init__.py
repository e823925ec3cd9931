"""The command `dejafake`: thin, one file a command group, everything behind it in the library."""

from indexer.cli.app import main

__all__ = ["main"]
