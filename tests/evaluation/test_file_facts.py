"""What a file alone says: sizes, compression, format."""

import pytest

from indexer.evaluation.files import FEATURES, file_facts, jpeg_quality
from tests.made_pictures import encoded, png, scene


@pytest.mark.parametrize("quality", [5, 30, 49, 50, 75, 90, 95, 100])
def test_the_quality_a_jpeg_was_saved_at_is_read_from_its_table(quality: int) -> None:
    assert jpeg_quality(encoded(scene(1), "JPEG", quality=quality)) == quality


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xdb",
        b"\xff\xd8\xff\xdb\x00\x43\x00" + b"\x01" * 20,
        b"\xff\xd8\xff\xdb\x00\x00",
        b"\xff\xd8" + b"\xff" * 5_000,
        b"\xff\xd8\xff\xda\x00\x02",
    ],
)
def test_a_broken_or_cut_jpeg_has_no_quality(data: bytes) -> None:
    assert jpeg_quality(data) is None


def test_facts_are_a_row_of_numbers() -> None:
    facts = file_facts(png(1), 480, 360)
    assert facts.format == "PNG"
    assert facts.jpeg_quality is None
    row = dict(zip(FEATURES, facts.row(), strict=True))
    assert row == {
        "width": 480,
        "height": 360,
        "bytes_per_pixel": len(png(1)) / (480 * 360),
        "jpeg_quality": 0,
        "jpeg": 0,
        "png": 1,
        "webp": 0,
        "other_format": 0,
    }
    assert dict(zip(FEATURES, file_facts(b"what", 1, 1).row(), strict=True))["other_format"] == 1
