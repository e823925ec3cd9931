"""A heat map lies over the right pixels of its picture, whatever the detector's preprocessing cut away."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from indexer.detector import Preprocessing
from indexer.detector.preprocessing import prepare, seen_box
from indexer.errors import DejafakeError, NotFoundError
from indexer.examine.heatmap import LONGEST_SIDE, NOTE_UNTRAINED, HeatMap, heat_map
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.workspace import Workspace
from tests.made_pictures import encoded, scene

CROPPED = Preprocessing(440, 3, 384, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
WHOLE_SIDE = Preprocessing(384, 3, 384, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
SQUEEZED = Preprocessing(None, 3, 384, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
SIZES = [(600, 900), (900, 600), (700, 700), (3000, 1200), (240, 180), (384, 384)]


def heat_of(picture: Image.Image, preprocessing: Preprocessing, hot: tuple[int, int]) -> HeatMap:
    """A heat map of one hot patch, (row, column)."""
    values = np.full((24, 24), 1 / 1000, np.float32)
    values[hot] = 1 - 575 / 1000
    scale = min(1.0, LONGEST_SIDE / max(picture.size))
    small = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    return HeatMap(values, seen_box(picture.size, preprocessing), picture.size, small, "d", "f" * 64, True)


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("preprocessing", [CROPPED, WHOLE_SIDE, SQUEEZED], ids=["cropped", "whole side", "squeezed"])
def test_the_hot_patch_lies_where_the_model_saw_it(size: tuple[int, int], preprocessing: Preprocessing) -> None:
    hot = (5, 17)
    black = Image.new("RGB", size)
    drawn = np.asarray(opened(heat_of(black, preprocessing, hot).png())).astype(int)
    yellow = (drawn[..., 1] > drawn[..., 2] + 60) & (drawn[..., 0] > 60)
    marked = Image.fromarray((yellow * 255).astype(np.uint8)).resize(size, Image.Resampling.NEAREST).convert("RGB")
    seen = prepare(marked, preprocessing)[0].reshape(24, 16, 24, 16).mean(axis=(1, 3))
    assert np.unravel_index(seen.argmax(), seen.shape) == hot
    assert seen[hot] > 0.8
    assert seen.sum() < 1.8


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((440, 440), (28, 28, 412, 412)),
        ((880, 440), (248, 28, 632, 412)),
        ((440, 880), (28, 248, 412, 632)),
        ((880, 880), (56, 56, 824, 824)),
    ],
)
def test_the_box_is_in_pixels_of_the_upright_picture(size: tuple[int, int], expected: tuple[int, ...]) -> None:
    assert seen_box(size, CROPPED) == expected
    assert seen_box(size, SQUEEZED) == (0, 0, *size)


def test_what_was_not_seen_is_dimmed_and_keeps_its_colour() -> None:
    red = Image.new("RGB", (880, 440), (200, 40, 20))
    drawn = np.asarray(opened(heat_of(red, WHOLE_SIDE, (0, 0)).png())).astype(int)
    left, _, right, _ = seen_box(red.size, WHOLE_SIDE)
    outside = np.concatenate([drawn[:, : int(left)], drawn[:, int(right) :]], axis=1).reshape(-1, 3)
    assert (outside == outside[0]).all()
    np.testing.assert_allclose(outside[0] / outside[0][0], np.array([200, 40, 20]) / 200, atol=0.02)
    assert outside[0][0] < 100
    inside = drawn[100, int(left) + 100]
    assert inside[2] > outside[0][2] + 20, "the cold end of the colours is blue"


def test_a_strip_is_drawn_within_bounds() -> None:
    drawn = opened(heat_of(Image.new("RGB", (1024, 1)), CROPPED, (1, 1)).png())
    assert drawn.size == (1024, 1)
    assert max(opened(heat_of(Image.new("RGB", (5000, 3000)), CROPPED, (1, 1)).png()).size) == LONGEST_SIDE


def sideways() -> bytes:
    """A photo taken with the camera held sideways: 1300 x 700 stored, 700 x 1300 upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(scene(1, (1300, 700)), "JPEG", exif=exif)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A catalogue of that photo."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "sideways.jpg").write_bytes(sideways())
    settings = Settings.load(home=tmp_path_factory.mktemp("home"), precision="fp32")
    with Workspace(settings) as ready:
        ready.ingest().run(open_source(folder, ImageLimits.from_settings(settings)))
        yield ready


def test_an_image_of_the_catalogue_is_looked_at_upright_by_its_detector(workspace: Workspace) -> None:
    made = heat_map(workspace, sha256_hex(sideways()))
    assert (made.size, opened(made.png()).size) == ((700, 1300), (551, 1024))
    assert made.values.shape == (24, 24)
    assert made.values.sum() == pytest.approx(1, abs=1e-5)
    assert made.box == seen_box((700, 1300), workspace.resolved.spec.preprocessing)
    assert (made.detector, made.fingerprint) == (workspace.resolved.spec.name, workspace.resolved.fingerprint)
    assert made.png() == heat_map(workspace, sha256_hex(sideways())).png()


def test_it_says_that_it_proves_nothing_and_when_the_detector_is_untrained() -> None:
    made = heat_of(Image.new("RGB", (10, 10)), CROPPED, (0, 0))
    assert "proves nothing" in made.note
    assert NOTE_UNTRAINED not in made.note
    untrained = HeatMap(made.values, made.box, made.size, made.picture, "d", "f" * 64, False)
    assert untrained.note.endswith(NOTE_UNTRAINED)


def test_without_the_original_it_is_said_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="DEJAFAKE_KEEP_ORIGINALS=true"):
        heat_map(workspace, "0" * 64)


def test_an_original_that_was_changed_on_disk_is_not_looked_at(workspace: Workspace) -> None:
    workspace.originals.put("1" * 64, encoded(scene(2)))
    with pytest.raises(DejafakeError, match="damaged"):
        heat_map(workspace, "1" * 64)
