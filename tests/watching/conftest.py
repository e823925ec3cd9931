"""An open, empty catalogue on each kind of database."""

from collections.abc import Iterator

import pytest

from indexer.catalog import Catalog


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    with Catalog.open(database_url) as opened:
        yield opened
