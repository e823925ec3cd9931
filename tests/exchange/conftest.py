"""Two desks: a catalogue of three images, and an empty one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog import Catalog
from indexer.vocabulary import LabelSource
from tests.exchange.filled_catalogue import add_image


@pytest.fixture
def here(database_url: str) -> Iterator[Catalog]:
    """A catalogue of three images, two of them embedded, one never labelled."""
    with Catalog.open(database_url) as opened:
        with opened.writing() as session:
            add_image(session, 1, embedded=True, collection="spring")
            add_image(session, 2, embedded=True, by="list", kind=LabelSource.TRUSTED_FEED)
            add_image(session, 3, said=None, seen=())
        yield opened


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Catalog]:
    """An empty catalogue."""
    with Catalog.open(f"sqlite:///{tmp_path / 'there.sqlite'}") as opened:
        yield opened


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.exchange.bundle.writing._IMAGES_AT_ONCE", 2)
