"""`dejafake report` and `novelties`: what is written, what is new since, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.catalog.database import Catalog
from indexer.catalog.images import images, labels
from indexer.catalog.records.labels import NewLabel
from indexer.cli.app import run
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.ingest.preparing import new_image
from indexer.settings import Settings
from indexer.vocabulary import LabelSource, LabelValue
from tests.made_pictures import encoded, png, scene

Called = Callable[..., tuple[int, str]]


@pytest.fixture
def dejafake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Called:
    """The command on a catalogue of four known fakes, three of them copies, none of them ever seen anywhere."""
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    settings = Settings.load(home=tmp_path / "home")
    settings.home.mkdir()
    with Catalog.open(settings.catalog_url) as catalog, catalog.writing() as session:
        for data in (*(encoded(scene(1), "JPEG", quality=quality) for quality in (95, 80, 60)), png(2)):
            image = decode(data, ImageLimits.from_settings(settings))
            image_id = images.add(session, new_image(image))
            labels.state(session, image_id, [NewLabel(LabelValue.FAKE, LabelSource.HUMAN, "desk")])

    def call(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def test_reports_on_images_without_dates_and_platforms(dejafake: Called, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    code, said = dejafake("report")
    assert (code, "run `dejafake cluster` first" in said) == (1, True)
    assert dejafake("cluster")[0] == 0
    code, said = dejafake("report", "--folder", folder)
    assert code == 0
    assert "6 files written" in said
    (campaign,) = json.loads((folder / "campaigns.json").read_text())["campaigns"]
    name = campaign["campaign"]["id"]
    report = json.loads((folder / f"{name}.json").read_text())
    assert report["summary"][:2] == [
        "The group holds 3 known fakes, all of them copies of one picture.",
        "No sighting of them is recorded.",
    ]
    assert report["spread"]["first_seen"] is None
    assert report["command"] == f"dejafake report {name}"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert dejafake("report", "--all", "--folder", folder)[0] == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    code, said = dejafake("report", "--since", "last", "--folder", folder, "--format", "html")
    assert (code, "2 files written" in said) == (0, True)
    code, said = dejafake("report", name, "--since", "2020-01-01", "--format", "json", "--folder", folder, "--blur")
    assert code == 0
    assert json.loads((folder / f"{name}.json").read_text())["news"]["new_campaign"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("report", "cmp_nobody", "--all"), 2, "not both"),
        (("report", "--since", "yesterday"), 2, "not a date like 2026-03-01"),
        (("report", "--since", "0001-01-01T00:00:00+14:00"), 2, "outside the years 1 to 9999"),
        (("report", "--since", "9999-12-31T23:59:59-14:00"), 2, "outside the years 1 to 9999"),
        (("report", "--since", "last"), 2, "there is no report in"),
        (("report", "--format", "docx"), 2, "docx"),
        (("report", "cmp_nobody"), 1, "no campaign cmp_nobody"),
        (("novelties", "--cursor", "x"), 2, "not a cursor"),
    ],
)
def test_what_cannot_be_reported_is_refused_in_one_line(
    dejafake: Called, arguments: tuple[str, ...], code: int, words: str
) -> None:
    got, said = dejafake(*arguments)
    assert (got, words in " ".join(said.split())) == (code, True), said
    assert "Traceback" not in said


def test_novelties_are_the_known_fakes_in_no_campaign(dejafake: Called) -> None:
    assert dejafake("cluster")[0] == 0
    code, said = dejafake("novelties", "--json")
    page = json.loads(said)
    assert (code, len(page["items"]), page["next_cursor"]) == (0, 1, None)
    assert page["items"][0]["image"]["sha256"][:16] in dejafake("novelties")[1]
