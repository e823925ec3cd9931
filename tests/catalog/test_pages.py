"""Pages of long lists: one way to read a cursor and to cut a page, for every list of the catalogue."""

from pathlib import Path

import pytest

import indexer.catalog
from indexer.catalog.cursors import PageRequest
from indexer.catalog.records.pages import Page
from indexer.errors import UsageError


def test_only_one_place_reads_a_row_more_than_fits() -> None:
    modules = Path(indexer.catalog.__file__).parent.rglob("*.py")
    cutting = [path.name for path in modules if "limit + 1" in path.read_text(encoding="utf-8")]
    # images.py tells SQLite how many ids a page needs, facets.py takes a page from columns in memory
    assert sorted(cutting) == ["cursors.py", "facets.py", "images.py"]


def test_the_first_page_starts_where_the_list_says() -> None:
    assert PageRequest.read("things", 5, None, name=str).after == ()
    assert PageRequest.read("things", 5, None, start=(-1,), position=int).after == (-1,)


def test_a_page_of_none_and_a_cursor_of_another_list_are_refused() -> None:
    with pytest.raises(UsageError, match="1 to 1000"):
        PageRequest.read("things", 0, None, id=int)
    with pytest.raises(UsageError, match="not a cursor of this list of things"):
        PageRequest.read("things", 5, "eA", id=int)


def test_a_mapped_page_keeps_its_cursor() -> None:
    assert Page((1, 2), "next").map(str) == Page(("1", "2"), "next")
