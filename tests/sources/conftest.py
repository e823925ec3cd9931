"""Small real pictures and folders of them."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from indexer.imaging.limits import ImageLimits
from indexer.sources import SourceItem, SourceRejection


@pytest.fixture(scope="session")
def limits() -> ImageLimits:
    return ImageLimits(max_bytes=100_000, max_pixels=1_000_000, max_frames=10)


@pytest.fixture(scope="session")
def photo() -> Callable[..., bytes]:
    """The bytes of a small picture that depends on a number."""

    def make(seed: int = 0, name: str = "PNG") -> bytes:
        buffer = io.BytesIO()
        Image.linear_gradient("L").resize((32, 24)).point(lambda value: (value + seed * 7) % 256).save(buffer, name)
        return buffer.getvalue()

    return make


@pytest.fixture
def plant(tmp_path: Path, photo: Callable[..., bytes]) -> Callable[..., Path]:
    """Puts pictures under the given relative paths of a folder, a different one each, and returns the folder."""

    def make(*paths: str, folder: str = "tree") -> Path:
        root = tmp_path / folder
        root.mkdir(exist_ok=True)
        for seed, path in enumerate(paths):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(photo(seed))
        return root

    return make


def split(found: list[SourceItem | SourceRejection]) -> tuple[list[SourceItem], list[SourceRejection]]:
    return [f for f in found if isinstance(f, SourceItem)], [f for f in found if isinstance(f, SourceRejection)]


@pytest.fixture(scope="session")
def apart() -> Callable[..., tuple[list[SourceItem], list[SourceRejection]]]:
    """Items and rejections of a source, apart."""
    return lambda source: split(list(source))
