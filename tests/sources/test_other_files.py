"""What people give in place of pictures gets one line that says what to give instead; a picture is one by its bytes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources import open_source


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("claims.xlsx", "a spreadsheet: save the sheet as CSV"),
        ("claims.XLS", "a spreadsheet"),
        ("claims.ods", "a spreadsheet"),
        ("claims.numbers", "a spreadsheet"),
        ("list.json", "JSON Lines .* or CSV"),
        ("feed.jsonld", "dejafake enrich"),
        ("report.docx", "export its pictures"),
        ("report.pdf", "export its pictures"),
        ("clip.mp4", "a video: export frames"),
        ("pictures.rar", "unpack it"),
        ("pictures.tar.zst", "unpack it"),
        ("cases.sqlite", "export the table as CSV"),
    ],
)
def test_it_says_what_to_give_instead(name: str, says: str, tmp_path: Path, limits: ImageLimits) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 something")
    with pytest.raises(SourceError, match=says) as refused:
        open_source(tmp_path / name, limits)
    assert name in str(refused.value)


@pytest.mark.parametrize("name", ["photo.pdf", "photo.json", "photo.mov", "photo.unknown"])
def test_a_picture_under_another_name_is_read(
    name: str, tmp_path: Path, photo: Callable[..., bytes], limits: ImageLimits
) -> None:
    (tmp_path / name).write_bytes(photo(0))
    (item,) = open_source(tmp_path / name, limits)
    assert item.location == name
