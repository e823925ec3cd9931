"""The benchmark behind the detector's card measures each aim on pictures nobody trained on."""

import argparse
import csv
from pathlib import Path

import pytest

from benchmarks.detector_card import ALTERATIONS, SIDE, equalised, main, measure
from benchmarks.reporting.report import Report
from indexer.detector.training.photographs import PACKAGES
from tests.made_pictures import scene
from tests.tiny_detectors import tiny_detector

GENERATORS = ("dalle-mini", "latent-diffusion", "stable-diffusion", "")


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A manifest of made-up pictures by prompt and generator, and the folder of the Debian packages with a few."""
    folder = tmp_path_factory.mktemp("material")
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "sha256", "label", "generator", "group"])
        for number in range(96):
            generator = ("stylegan2", *GENERATORS)[number % 5]
            scene(number, (256, 256)).save(folder / f"{number}.png")
            group = generator if generator == "stylegan2" else f"prompt {number // 5}" if generator else "faces"
            writer.writerow([f"{number}.png", f"{number:064x}", "fake" if generator else "real", generator, group])
    for package in PACKAGES:
        (folder / "packages" / package / "mate" / "nature").mkdir(parents=True)
    for number in range(16):
        scene(500 + number, (600, 450)).save(folder / f"packages/mate-backgrounds/mate/nature/{number}.jpg")
    return folder / "manifest.csv", folder / "packages"


@pytest.fixture(scope="module")
def report(material: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Report:
    detector = tiny_detector(tmp_path_factory.mktemp("detector") / "tiny", seed=3)
    manifest, packages = material
    options = argparse.Namespace(
        manifest=manifest, photographs=packages, detector=str(detector), distractors=100, queries=4
    )
    return measure(options)


def test_every_aim_is_a_check(report: Report) -> None:
    names = [check.name for check in report.checks]
    for wanted in ("known generators", "two unseen generators", "StyleGAN2", "held-out prompts", *ALTERATIONS):
        assert any(wanted in name for name in names), wanted
    assert len([name for name in names if name.startswith("metadata alone")]) == len(report.rows) == 5


def test_only_pictures_that_were_not_trained_on_are_judged(report: Report) -> None:
    unseen = next(row for row in report.rows if row.fakes == "two unseen generators")
    known = next(row for row in report.rows if row.fakes.startswith("known generators"))
    assert unseen.n_fakes == 19
    assert 0 < known.n_fakes < 39
    assert all(row.n_matched <= min(row.n_fakes, row.n_photographs) for row in report.rows)


def test_pictures_of_all_classes_go_through_one_chain() -> None:
    for size in ((256, 256), (900, 600)):
        data, quality = equalised(scene(1, size), "name")
        assert 80 <= quality <= 90
        assert equalised(scene(1, size), "name") == (data, quality)
        assert data.startswith(b"\xff\xd8")
    assert SIDE == 256


def test_without_the_photographs_it_says_how_to_get_them(
    material: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([str(material[0]), "--photographs", str(tmp_path)])
    assert code == 2
    assert "training fetch" in "".join(capsys.readouterr())
