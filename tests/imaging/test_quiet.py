"""Nothing that a decoder thinks of a hostile file is printed."""

import random

import pytest

from indexer.errors import ImageRejectedError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from tests.made_pictures import encoded, scene

LIMITS = ImageLimits(max_bytes=10_000_000, max_pixels=1_000_000, max_frames=10)


@pytest.mark.parametrize("kind", ["tiff_lzw", "tiff_deflate", "jpeg", "PNG", "JPEG", "WEBP", "GIF"])
def test_damaged_files_print_nothing(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    picture, chance = scene(1, (160, 120)), random.Random(kind)
    good = encoded(picture, kind) if kind.isupper() else encoded(picture, "TIFF", compression=kind)
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(chance.randint(1, 12)):
            bad[chance.randrange(8, len(bad))] = chance.randrange(256)
        try:
            decode(bytes(bad), LIMITS)
        except ImageRejectedError:
            continue
    assert capfd.readouterr() == ("", "")
