"""The API tells on what scores were calibrated, and answers searches by it."""

from collections.abc import Iterator

import pytest

from indexer.catalog.detections import calibrations
from indexer.settings import Settings
from indexer.workspace import Workspace
from search_api.examples.made_up import made_up_calibration
from tests.made_pictures import png
from tests.search_api.served import Api, problem_of, running
from tests.tiny_detectors import tiny_detector


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with a trained detector that has two calibrations, the newer retired."""
    folder = tmp_path_factory.mktemp("calibrated")
    detector = tiny_detector(folder / "detector", seed=1)
    settings = Settings.load(home=folder / "home", detector=str(detector), precision="fp32")
    workspace = Workspace(settings)
    with workspace.catalog.writing() as session:
        measured = made_up_calibration(workspace.resolved)
        calibrations.add(session, measured)
        calibrations.add(session, measured)
        calibrations.retire(session, workspace.resolved.fingerprint, 2)
    with running(settings, workspace) as server:
        yield server


def test_calibrations_are_listed_newest_first_with_the_one_in_use(calibrated: Api) -> None:
    listed = calibrated.client.get("/v1/calibrations").json()
    assert listed["in_use"] == 1
    assert [(one["calibration"]["version"], one["retired_at"] is None) for one in listed["versions"]] == [
        (2, False),
        (1, True),
    ]


def test_one_calibration_is_shown_in_full(calibrated: Api) -> None:
    shown = calibrated.client.get("/v1/calibrations/1").json()
    assert shown["calibration"]["zone"]["false_positive_rate"]["high"] <= 0.05
    assert shown["calibration"]["check"]["after"]["ece"]["low"] >= 0
    problem_of(calibrated.client.get("/v1/calibrations/3"), 404, "not-found")


@pytest.mark.parametrize("version", ["0", "-1", "99999999999", "one"])
def test_what_is_no_version_is_refused(calibrated: Api, version: str) -> None:
    assert calibrated.client.get(f"/v1/calibrations/{version}").status_code == 422


def test_a_search_carries_the_calibration_it_was_read_with(calibrated: Api) -> None:
    answer = calibrated.client.post("/v1/search", files={"image": ("a.png", png(1))}).json()
    assert answer["verdict"]["calibration"]["version"] == 1
    assert answer["verdict"]["verbal_band"]
    assert 0 < answer["detector"]["calibrated_p_fake"] < 1
    assert answer["detector"]["zone"]["leans_fake_above"] > 0


def test_a_comparison_carries_it_too(calibrated: Api) -> None:
    files = {"a": ("a.png", png(1)), "b": ("b.png", png(2))}
    answer = calibrated.client.post("/v1/compare", files=files).json()
    assert answer["calibration"]["version"] == 1
    assert all("calibrated on 400 pictures" in statement for statement in answer["statements"])


def test_without_a_calibration_the_list_is_empty(api: Api) -> None:
    listed = api.client.get("/v1/calibrations").json()
    assert (listed["in_use"], listed["versions"]) == (None, [])
