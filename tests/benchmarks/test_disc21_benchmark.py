"""The protocol of DISC21, on a small folder of its layout."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.disc21 import level, measure, read
from benchmarks.made_up.disc21 import make
from indexer.arrays import Vector
from indexer.errors import UsageError
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings


def colours(picture: Image.Image) -> Vector:
    """A descriptor: sixteen by sixteen pixels."""
    small = np.asarray(picture.resize((16, 16)), np.float32).ravel()
    small -= small.mean()
    return np.asarray(small / np.linalg.norm(small), np.float32)


def test_the_protocol_tells_a_descriptor_with_and_without_normalisation(tmp_path: Path) -> None:
    make(tmp_path / "disc", references=8, queries=6, training=4)
    data = read(tmp_path / "disc")

    report = measure(data, {"colours": colours}, ImageLimits.from_settings(Settings(home=tmp_path)))

    assert report.parameters == {"queries": 6, "references": 8, "training": 4, "pairs_that_are_copies": 3}
    assert [row.normalised for row in report.rows] == [False, True]
    assert all(0.3 < row.micro_average_precision <= 1 for row in report.rows)


def test_a_list_says_which_queries_take_part(tmp_path: Path) -> None:
    make(tmp_path, references=4, queries=4, training=1)
    (tmp_path / "queries.txt").write_text("Q00000\nQ00001.jpg\n")

    data = read(tmp_path)

    assert [path.stem for path in data.queries] == ["Q00000", "Q00001"]
    assert data.truth == {("Q00000", "R000000")}


def test_what_a_query_is_to_strangers_is_taken_from_the_nearest_of_them() -> None:
    training = np.eye(3, dtype=np.float32)

    assert level(np.array([[1, 0, 0]], np.float32), training) == pytest.approx([1 / 3])


def test_a_folder_without_ground_truth_and_one_in_use_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ground truth"):
        read(tmp_path)
    (tmp_path / "something").write_text("")
    with pytest.raises(UsageError, match="not empty"):
        make(tmp_path)
