"""A catalogue of known fakes, and rows that ask about pictures of all kinds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.imaging.decoding import sha256_hex
from indexer.ingest.report import IngestOptions
from indexer.settings import Settings
from indexer.sources import SourceItem
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace
from tests.made_pictures import png, recompressed
from tests.tiny_detectors import tiny_detector

KNOWN = range(4)


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of an installation that knows scenes 0 to 3 as fakes, by desk one."""
    folder = tmp_path_factory.mktemp("home")
    detector = tiny_detector(folder / "detector", seed=1)
    settings = Settings.load(
        home=folder / "home",
        detector=str(detector),
        precision="fp32",
        batch_size=2,
        same_origin_min_cosine=1.0,  # random weights find everything alike
    )
    with Workspace(settings) as workspace:
        items = [SourceItem("desk.csv", f"{number}.png", lambda number=number: png(number)) for number in KNOWN]
        workspace.ingest(IngestOptions(label=LabelValue.FAKE, stated_by="=desk one")).run(items)
        workspace.index.bring_up_to_date()
    return settings


@pytest.fixture
def workspace(home: Settings) -> Iterator[Workspace]:
    with Workspace(home) as opened:
        yield opened


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    """One row a case, and the pictures they name in `tmp_path`."""
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "same.png").write_bytes(png(0))
    (tmp_path / "pics" / "shared.jpg").write_bytes(recompressed(1))
    (tmp_path / "pics" / "broken.png").write_bytes(png(2)[:500])
    return [
        {"id": 7, "image": "pics/same.png", "sha256": None, "pdq": None, "note": "the file itself"},
        {"id": 8, "image": "pics/shared.jpg", "sha256": None, "pdq": None, "note": 'shared, "again"'},
        {"id": 9, "image": "pics/broken.png", "sha256": None, "pdq": None, "note": "cut"},
        {"id": 10, "image": None, "sha256": sha256_hex(png(2)).upper(), "pdq": None, "note": "by digest"},
        {"id": 11, "image": "../secret.png", "sha256": None, "pdq": None, "note": "leads out"},
        {"id": 12, "image": "https://example.org/a.png", "sha256": None, "pdq": None, "note": "a URL"},
        {"id": 13, "image": None, "sha256": None, "pdq": None, "note": "nothing"},
    ]
