"""CSV as spreadsheets and scripts write it: one odd cell, quote or header costs its own row, not the table."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources import SourceItem, SourceRejection, csv_table, open_source
from indexer.sources import lines as line_reading
from indexer.sources.cells import MAX_CELL
from indexer.sources.csv_table import CsvTable

Found = SourceItem | SourceRejection


@pytest.fixture
def read(plant: Callable[..., Path], limits: ImageLimits) -> Callable[[str | bytes], list[Found]]:
    folder = plant("a.png", "b.png", "c.png")

    def call(text: str | bytes) -> list[Found]:
        (folder / "m.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        return list(open_source(folder / "m.csv", limits))

    return call


Read = Callable[[str | bytes], list[Found]]


def locations(found: list[Found]) -> list[str]:
    return [one.location for one in found]


def test_a_cell_of_any_length_costs_no_row(read: Read) -> None:
    found = read("path,caption\na.png,x\nb.png," + "y" * 200_000 + '\nc.png,"' + "z\n" * 100_000 + '"\n')
    assert locations(found) == ["a.png", "b.png", "c.png"]
    cut = found[1]
    assert isinstance(cut, SourceItem)
    assert cut.sighting is not None
    assert cut.sighting.caption == "y" * MAX_CELL
    assert [remark.kind for remark in cut.remarks] == ["text_cut"]


def test_a_line_beyond_all_bounds_is_a_row_that_cannot_be_used(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_reading, "MAX_LINE", 100_000)
    found = read(f"path,caption\na.png,x\nb.png,{'y' * 200_000}\nc.png,z\n")
    assert locations(found) == ["a.png", "row 3", "c.png"]


@pytest.mark.parametrize("mark", ["sep=;", '"sep=;"', "SEP=;", "sep=;;"])
def test_the_line_that_tells_excel_the_separator_is_no_header(mark: str, read: Read) -> None:
    (item,) = read(f"{mark}\r\npath;caption\r\na.png;one, two\r\n")
    assert isinstance(item, SourceItem)
    assert item.sighting is not None
    assert item.sighting.caption == "one, two"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_line_ends_and_encodings_of_spreadsheets_are_understood(encoding: str, end: str, read: Read) -> None:
    found = read(end.join(["path,caption", 'a.png,"é\nü"', "b.png,表", ""]).encode(encoding))
    assert locations(found) == ["a.png", "b.png"]
    captions = [item.sighting.caption for item in found if isinstance(item, SourceItem) and item.sighting]
    assert captions == ["é\nü", "表"]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('path,caption\na.png,"never closed\nb.png,plain\nc.png,"quoted"\n', ["row 2", "b.png", "c.png"]),
        ('path,caption\na.png,"never closed\nb.png,plain\nc.png,plain\n', ["row 2", "b.png", "c.png"]),
        ('path,caption\na.png,x\nb.png,"open\n', ["a.png", "b.png"]),
        ('path,caption\na.png,"he said "yes" twice"\nb.png,x\n', ["a.png", "b.png"]),
        ("path,caption\na.png,bare\rreturn\nb.png,x\n", ["row 2", "b.png"]),
        ("path,caption\na.png,nul\0\nb.png,x\n", ["a.png", "b.png"]),
    ],
)
def test_a_broken_row_is_named_and_the_rest_is_read(text: str, places: list[str], read: Read) -> None:
    assert locations(read(text)) == places


def test_quotes_that_are_open_everywhere_are_given_up(
    plant: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "_MOST_READ_AGAIN", 1_000_000)
    path = plant("a.png") / "m.csv"
    path.write_text("path,b\n" + 'a","\n' * 10_000, encoding="utf-8")
    with pytest.raises(SourceError, match="quotes that are never closed"):
        sum(1 for _ in CsvTable(path).rows())


def test_a_name_that_stands_twice_matters_only_where_it_is_read(read: Read) -> None:
    (item,) = read("path,note,note,note (2)\na.png,one,two,three\n")
    assert isinstance(item, SourceItem)
    assert item.fields == {"note": "one", "note (3)": "two", "note (2)": "three"}
    with pytest.raises(SourceError, match="names the column label twice; rename one"):
        read("path,label,label\na.png,fake,authentic\n")


def test_blank_lines_and_trailing_commas_mean_nothing(read: Read) -> None:
    found = read("\n\npath,caption,,\n\na.png,x,,\n,,,\nb.png,y\n\n")
    assert [place for place in locations(found) if not place.startswith("row")] == ["a.png", "b.png"]


def test_a_wide_header_is_refused_at_once(plant: Callable[..., Path]) -> None:
    path = plant("a.png") / "m.csv"
    path.write_text("path," + ",".join(f"c{at}" for at in range(100_000)) + "\na.png\n", encoding="utf-8")
    with pytest.raises(SourceError, match="100,001 columns; at most 20,000 are read"):
        CsvTable(path).columns()
