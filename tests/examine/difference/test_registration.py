"""One picture is laid over another to a fraction of a pixel, or refused with a reason."""

import numpy as np
import pytest
from PIL import Image

from indexer.examine.difference.registration import MIN_INLIERS, Refusal, Registration, mapped, register
from tests.examine.difference.altered_pictures import jpeg, noise, photograph


def grey(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L"))


def moved(picture: Image.Image, size: tuple[int, int], matrix: np.ndarray) -> Image.Image:
    """The picture seen through `matrix`, which takes its pixels to those of the result."""
    shift = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])  # Pillow's pixel centres lie at halves
    back = np.linalg.inv(shift) @ np.linalg.inv(matrix) @ shift
    coefficients = (back / back[2, 2]).ravel()[:8]
    return picture.transform(size, Image.Transform.PERSPECTIVE, tuple(coefficients), Image.Resampling.BICUBIC)


def apart(found: Registration | Refusal, truth: np.ndarray, size: tuple[int, int]) -> float:
    """How far, in pixels of B, the points of a grid over A lie from where they belong, on average."""
    assert isinstance(found, Registration), found
    grid = np.stack(np.meshgrid(np.linspace(0, size[0] - 1, 7), np.linspace(0, size[1] - 1, 7)), -1).reshape(-1, 2)
    return float(np.linalg.norm(mapped(found.homography, grid) - mapped(truth, grid), axis=1).mean())


TURNED = np.array(
    [[0.7 * np.cos(0.2), -0.7 * np.sin(0.2), 70.0], [0.7 * np.sin(0.2), 0.7 * np.cos(0.2), 5.0], [0, 0, 1]]
)
TILTED = np.array([[0.9, 0.05, 12.0], [0.02, 0.95, 4.0], [1e-4, 5e-5, 1.0]])


@pytest.mark.parametrize("truth", [np.eye(3), TURNED, TILTED], ids=["as it was", "turned and smaller", "tilted"])
def test_a_copy_is_laid_over_its_picture_to_a_fifth_of_a_pixel(truth: np.ndarray) -> None:
    picture = photograph()
    copy = jpeg(moved(picture, picture.size, truth), 75)
    found = register(grey(picture), grey(copy))
    assert apart(found, truth, picture.size) < 0.2
    assert isinstance(found, Registration)
    assert not found.mirrored


def test_a_mirrored_copy_is_recognised_as_such() -> None:
    picture = photograph()
    mirrored = np.array([[-1.0, 0.0, picture.width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = register(grey(picture), grey(jpeg(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))))
    assert apart(found, mirrored, picture.size) < 0.5
    assert isinstance(found, Registration)
    assert found.mirrored


def test_the_same_input_gives_the_same_output() -> None:
    picture = photograph()
    copy = grey(jpeg(picture.resize((300, 200)), 60))
    one, other = register(grey(picture), copy), register(grey(picture), copy)
    assert isinstance(one, Registration)
    assert isinstance(other, Registration)
    np.testing.assert_array_equal(one.homography, other.homography)
    assert (one.inliers, one.matches) == (other.inliers, other.matches)


def test_another_picture_is_refused_with_a_reason() -> None:
    found = register(grey(photograph()), grey(noise(1, (451, 300))))
    assert isinstance(found, Refusal)
    assert found.reason


def test_a_flat_picture_is_refused_for_having_no_points() -> None:
    found = register(grey(photograph()), np.full((300, 451), 90, np.uint8))
    assert isinstance(found, Refusal)
    assert f"{MIN_INLIERS} are needed" in found.reason


def test_a_picture_squeezed_out_of_shape_is_refused() -> None:
    found = register(grey(noise(2, (320, 240))), grey(noise(2, (320, 240)).resize((320, 90))))
    assert isinstance(found, Refusal)


def test_what_each_shows_of_the_other_adds_up() -> None:
    half = Registration(np.array([[1.0, 0, -100], [0, 1, 0], [0, 0, 1]]), 20, 20, False)
    assert half.shown((200, 100), (100, 100)) == pytest.approx((0.5, 1.0))
    assert half.shown((200, 100), (200, 100)) == pytest.approx((0.5, 0.5))
