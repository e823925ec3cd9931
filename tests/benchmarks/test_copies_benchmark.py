"""The copies benchmark measures what it says, beside its peers."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from benchmarks.copies import UNALTERED, measure
from benchmarks.report import Report
from indexer.errors import SourceError
from indexer.imaging.alterations import ALTERATIONS
from indexer.settings import Settings

PICTURES, QUERIES = 6, 3


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Measured on pictures of smooth random colours, which are all different."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(3)
    for number in range(PICTURES):
        coarse = Image.fromarray(random.integers(0, 255, (12, 12, 3), dtype=np.uint8))
        smooth = coarse.resize((240, 240), Image.Resampling.BICUBIC).filter(ImageFilter.SMOOTH)
        smooth.save(folder / f"{number}.png")
    return measure(folder, Settings.load(home=tmp_path_factory.mktemp("home")), QUERIES)


def test_every_alteration_has_a_row_whose_parts_add_up(report: Report) -> None:
    assert [row.alteration for row in report.rows] == [UNALTERED, *ALTERATIONS]
    for row in report.rows:
        first = row.same_file + row.same_picture + row.same_origin + row.nearest_only
        assert first + row.not_first == row.first.n == QUERIES
        assert first / QUERIES == pytest.approx(row.first.share)


def test_an_unaltered_picture_is_found_as_the_same_file_and_by_every_peer(report: Report) -> None:
    row = report.rows[0]

    assert row.same_file == QUERIES
    assert row.pdq_alone.share == row.embedding_alone.share == row.grey_pixels.share == 1.0


def test_a_mirrored_copy_is_found_by_pdq_but_not_by_grey_pixels(report: Report) -> None:
    (row,) = (row for row in report.rows if row.alteration == "mirror")

    assert row.same_picture == QUERIES
    assert row.pdq_alone.share == 1.0
    assert row.grey_pixels.share < 1.0


def test_checks_cover_the_promises_and_figures_the_cost(report: Report) -> None:
    names = {check.name for check in report.checks}

    assert {"unaltered: found first as same_file", "unaltered: smallest cosine to itself"} <= names
    assert {f"{name}: original first" for name in ("jpeg50", "downscale60", "colour_shift", "mirror")} <= names
    assert report.parameters["pictures"] == PICTURES
    assert report.figures["ingest_pictures_per_second"] > 0
    # The kernel counts resident pages in batches: a peak read later can be some pages lower.
    assert report.figures["peak_memory_mib"] > report.figures["ingest_peak_memory_mib"] - 1 > 0


def test_a_folder_without_pictures_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(SourceError):
        measure(tmp_path / "empty", Settings.load(home=tmp_path / "home"), QUERIES)
