"""Catalogues for the tests of campaigns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns.shelves import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """A catalogue of a trained detector."""
    made = Shelf(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def untrained_shelf(tmp_path: Path) -> Iterator[Shelf]:
    """A catalogue of an untrained detector."""
    made = Shelf(tmp_path / "untrained", trained=False)
    yield made
    made.close()
