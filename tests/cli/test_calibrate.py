"""Calibrating from the command line, and what searches say before and after; a real detector, planted scores."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from indexer.calibration import CalibrationVersion
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import collections, images, labels
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.cli.app import run
from indexer.settings import Settings
from indexer.verdict.findings import Reading
from indexer.verdict.relations import Band
from indexer.vocabulary import LabelSource, LabelValue
from indexer.workspace import Workspace
from tests.made_pictures import png
from tests.tiny_detectors import tiny_detector

Dejafake = Callable[..., tuple[int, str, str]]
GENERATORS, EACH, AUTHENTIC = 25, 8, 200


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_detector(tmp_path_factory.mktemp("detectors") / "trained", seed=1)


@pytest.fixture
def settings(tmp_path: Path, trained: Path) -> Settings:
    return Settings.load(home=tmp_path / "home", detector=str(trained), precision="fp32")


@pytest.fixture
def dejafake(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dejafake:
    monkeypatch.setenv("DEJAFAKE_HOME", str(settings.home))
    monkeypatch.setenv("COLUMNS", "250")

    def call(*arguments: object, detector: str = settings.detector) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["--detector", detector, *(str(argument) for argument in arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture
def desk(settings: Settings, filled: Path) -> Settings:
    """An installation with the collection `desk`."""
    copytree(filled, settings.home)
    return settings


@pytest.fixture(scope="module")
def filled(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection of 200 fakes by 25 generators and 200 authentic pictures, with planted logits and embeddings."""
    settings = Settings.load(home=tmp_path_factory.mktemp("filled"), detector=str(trained))
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(GENERATORS, 384))
    with Workspace(settings) as workspace, workspace.catalog.writing() as session:
        resolved = workspace.resolved
        detector = detectors.register(session, resolved.spec.name, resolved.fingerprint, True, {})
        ids = []
        for number in range(GENERATORS * EACH + AUTHENTIC):
            generator = number // EACH if number < GENERATORS * EACH else None
            vector = rng.normal(size=384) * 0.7 + (0 if generator is None else centres[generator])
            logit = float(rng.normal(-3 if generator is None else 3, 2.5))
            name = None if generator is None else f"generator {generator}"
            ids.append(images.add(session, _image(number)))
            value = LabelValue.AUTHENTIC if generator is None else LabelValue.FAKE
            labels.state(session, ids[-1], [NewLabel(value, LabelSource.HUMAN, "desk", generator=name)])
            seen = NewDetection((vector / np.linalg.norm(vector)).astype(np.float32), (logit,), _sigmoid(logit))
            embeddings.add(session, detector, [(ids[-1], seen)])
        collections.create(session, "desk", "")
        collections.add_images(session, "desk", ids)
    return settings.home


def _image(number: int) -> NewImage:
    digest = sha256(str(number).encode())
    return NewImage(digest.hexdigest(), 1_000, "PNG", 64, 48, "RGB", 1, (), digest.digest(), 100, "test")


def _sigmoid(value: float) -> float:
    return 1 / (1 + np.exp(-value))


def test_searches_tell_no_chances_until_the_detector_is_calibrated_and_again_after_retiring(
    desk: Settings, dejafake: Dejafake, tmp_path: Path
) -> None:
    picture = tmp_path / "asked.png"
    picture.write_bytes(png(3))
    assert "uncalibrated" in dejafake("search", picture)[1]
    code, out, _ = dejafake("calibrate", "collection:desk", "--method", "platt")
    assert code == 0
    assert "version 1, in use" in out
    _, out, _ = dejafake("search", picture)
    assert "calibrated on 400 pictures of collection desk (version 1, " in " ".join(out.replace("│", " ").split())
    assert "uncalibrated" not in out
    verdict = json.loads(dejafake("search", picture, "--json")[1])["verdict"]
    assert (verdict["calibration"]["version"], verdict["calibration"]["n"]) == (1, 400)
    assert verdict["calibration"]["interval"][1] <= 0.05
    assert verdict["verbal_band"]
    assert "version 1" in dejafake("show", sha256(b"7").hexdigest())[1]
    compared = json.loads(dejafake("compare", picture, picture, "--json")[1])
    assert compared["calibration"]["version"] == 1
    assert compared["findings"][0]["calibrated_p_fake"] is not None
    assert dejafake("calibrate", "retire", 1)[:2] == (0, "Version 1 is retired: scores are uncalibrated from now on.\n")
    assert "uncalibrated" in dejafake("search", picture)[1]


def test_a_running_searcher_takes_up_a_new_calibration_and_reads_it_once(desk: Settings, dejafake: Dejafake) -> None:
    with Workspace(desk) as workspace:
        before = workspace.searcher.by_bytes(png(3))
        assert before.detector is not None
        assert (before.detector.calibrated_p_fake, before.verdict.calibration) == (None, None)
        dejafake("calibrate", "collection:desk")
        after = workspace.searcher.by_bytes(png(3))
        assert after.detector is not None
        assert after.detector.calibrated_p_fake is not None
        assert after.detector.reading in set(Reading) - {Reading.NOT_ASSESSABLE}
        assert workspace.searcher.calibration.get() is workspace.searcher.calibration.get()


def test_likeness_is_told_by_measured_bands(desk: Settings, dejafake: Dejafake) -> None:
    dejafake("calibrate", "collection:desk")
    with Workspace(desk) as workspace:
        answer = workspace.searcher.by_sha256(sha256(b"9").hexdigest())
    likeness = {match.image.image.label.generator: match.scores[-1] for match in reversed(answer.matches)}
    assert likeness["generator 1"].band is Band.CONFIRMED
    assert (likeness["generator 1"].probability or 0) > 0.9
    assert likeness["generator 1"].threshold < 0.9  # what was measured, not the setting


def test_versions_are_listed_and_shown_and_written(desk: Settings, dejafake: Dejafake, tmp_path: Path) -> None:
    assert "No calibrations" in dejafake("calibrate", "list")[1]
    assert dejafake("calibrate", "show")[0] == 1
    file, plot = tmp_path / "made.json", tmp_path / "made.svg"
    dejafake("calibrate", "collection:desk")
    dejafake("calibrate", "fit", "catalogue", "--json", file, "--plot", plot, "--fpr", 0.1)
    listed = json.loads(dejafake("calibrate", "list", "--json")[1])
    assert [(one["version"], one["calibration"]["data_set"]) for one in listed] == [
        (2, "the catalogue"),
        (1, "collection desk"),
    ]
    assert json.loads(file.read_text("utf-8"))["version"] == 2
    assert plot.read_text("utf-8").startswith("<svg")
    _, shown, _ = dejafake("calibrate", "show", 1)
    assert "version 1, replaced by a newer one" in shown
    assert "stated at most 5.0%" in shown
    assert "the same generator, on" in shown
    assert "stated at most 10.0%" in dejafake("calibrate", "show")[1]
    assert dejafake("calibrate", "list")[1].splitlines()[1].startswith("*  2 ")


def test_json_on_standard_output_is_nothing_but_json(desk: Settings, dejafake: Dejafake) -> None:
    _, out, _ = dejafake("calibrate", "collection:desk", "--json", "-")
    assert json.loads(out)["calibration"]["zone"]["stated_false_positive_rate"] == 0.05


@pytest.mark.parametrize(
    ("arguments", "what_to_do"),
    [
        (["collection:nowhere"], "no collection named 'nowhere'"),
        (["collection:desk", "--fpr", "0.001"], "needs 3688 independent authentic pictures, here are 200"),
        (["collection:desk", "--fpr", "0.7"], "--fpr is a rate between 0 and 0.5"),
        (["collection:desk", "--precision", "0.6"], "precisions lie between 0.5 and 1"),
        (["collection:desk", "--plot", "/nowhere/at/all.svg"], "is not a file that can be written"),
        (["retire", "9"], "has no calibration 9"),
        (["show", "9"], "has no calibration 9"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    desk: Settings, dejafake: Dejafake, arguments: list[str], what_to_do: str
) -> None:
    code, _, err = dejafake("calibrate", *arguments)
    assert code in (1, 2)
    assert what_to_do in err
    assert "Traceback" not in err


def test_an_untrained_detector_is_refused(dejafake: Dejafake, tmp_path: Path) -> None:
    untrained = tiny_detector(tmp_path / "untrained", seed=2, trained=False)
    code, _, err = dejafake("calibrate", "catalogue", detector=str(untrained))
    assert code == 2
    assert "is not trained: there is nothing to calibrate" in err


def test_a_damaged_active_calibration_stops_searches_with_the_way_out(desk: Settings, dejafake: Dejafake) -> None:
    from sqlalchemy import create_engine, text

    dejafake("calibrate", "collection:desk")
    engine = create_engine(desk.catalog_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE calibration SET record = '{}'"))
    engine.dispose()
    known = sha256(b"9").hexdigest()
    code, _, err = dejafake("search", known)
    assert code == 1
    assert "dejafake calibrate retire 1" in err
    assert dejafake("calibrate", "retire", 1)[0] == 0
    assert dejafake("search", known)[0] == 0


def test_a_calibration_names_its_detector(desk: Settings, dejafake: Dejafake) -> None:
    from indexer.evaluation.calibrating import run_calibration

    with Workspace(desk) as workspace:
        stored: CalibrationVersion = run_calibration(workspace, "collection:desk")
        assert stored.calibration.fingerprint == workspace.resolved.fingerprint
        assert stored.calibration.detector == workspace.resolved.spec.name
