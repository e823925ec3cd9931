"""An ingest that is killed at any moment leaves nothing half-written, and running it again finishes the job."""

import csv
import json
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from benchmarks.resume import Contents, Row, compare, contents, finish_ingest, kill_ingest
from indexer.catalog.database import Catalog
from indexer.catalog.images import images, labels
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.labels import NewLabel
from indexer.cli.app import run
from indexer.imaging.limits import ImageLimits
from indexer.ingest.pipeline import Ingest
from indexer.ingest.report import IngestOptions, IngestReport
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.vocabulary import LabelSource, LabelValue
from indexer.workspace import Workspace
from tests.made_pictures import png
from tests.tiny_detectors import tiny_detector

PICTURES = 16
SMALL_BATCHES = {"DEJAFAKE_BATCH_SIZE": "2", "OMP_NUM_THREADS": "1"}
"""Many transactions to be killed between and in."""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 different pictures with labels, sightings and collections, one of them in two rows."""
    folder = tmp_path_factory.mktemp("small")
    random = np.random.default_rng(7)
    rows = []
    for number in range(PICTURES):
        picture = Image.new("RGB", (96, 96), tuple(int(c) for c in random.integers(0, 255, 3)))
        draw = ImageDraw.Draw(picture)
        for _ in range(12):
            x, y, size = (int(v) for v in random.integers(0, 80, 3))
            draw.ellipse((x, y, x + size, y + size), fill=tuple(int(c) for c in random.integers(0, 255, 3)))
        picture.save(folder / f"{number:02d}.png")
        rows.append(
            {
                "path": f"{number:02d}.png",
                "label": "fake" if number % 3 else "authentic",
                "technique": "splice" if number % 3 else "",
                "url": f"https://example.org/{number}",
                "platform": "example-social",
                "posted_at": f"2026-01-{number + 1:02d}T12:00:00Z",
                "collection": "evens" if number % 2 == 0 else "odds",
                "desk": f"desk {number % 4}",
            }
        )
    rows.append(dict(rows[3], url="https://example.org/again"))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "manifest.csv"


def ingest_here(manifest: Path, home: Path) -> IngestReport:
    """The same ingest in this process, which nobody kills."""
    settings = Settings.load(home=home)
    source = open_source(manifest, ImageLimits.from_settings(settings))
    with Workspace(settings) as workspace:
        return Ingest(
            workspace.catalog,
            workspace.detector(),
            workspace.originals,
            workspace.thumbnails,
            settings,
            IngestOptions(),
        ).run(source)


def test_an_ingest_killed_again_and_again_ends_with_the_catalogue_of_an_undisturbed_one(
    manifest: Path, tmp_path: Path
) -> None:
    home, quiet = tmp_path / "killed", tmp_path / "undisturbed"
    ingest_here(manifest, quiet)
    undisturbed = contents(quiet)

    kills = [kill_ingest(manifest, home, wanted, SMALL_BATCHES) for wanted in (1, 9)]
    finish = finish_ingest(manifest, home, SMALL_BATCHES)

    assert all(kill.wanted <= kill.committed < PICTURES for kill in kills), "killed too late to prove anything"
    assert finish.rejected == 0
    assert finish.added == PICTURES - kills[-1].committed, "something was done twice or not at all"
    assert len(undisturbed.details) == len(undisturbed.vectors) == PICTURES
    assert differences(contents(home), undisturbed) == []

    again = ingest_here(manifest, home)
    assert (again.added, again.known, again.rejected) == (0, PICTURES + 1, 0)
    assert differences(contents(home), undisturbed) == []

    state_one_more_label(home)
    assert [row.part for row in differences(contents(home), undisturbed)] == ["images", "labels"]


def state_one_more_label(home: Path) -> None:
    """A difference the comparison must see, so that it is known to look."""
    catalog = Catalog.open(Settings.load(home=home).catalog_url)
    with catalog.writing() as session:
        (image_id,) = images.find_ids(session, [images.page(session, ImageFilter(), limit=1).items[0].sha256]).values()
        labels.state(session, image_id, [NewLabel(LabelValue.UNKNOWN, LabelSource.HUMAN, "a person")])
    catalog.close()


def differences(one: Contents, other: Contents) -> list[Row]:
    return [row for row in compare(one, other) if not row.equal]


KILLED_BEFORE_JOINING = """
import os, signal, sys
from indexer.campaigns.joining import after_ingest
after_ingest._suggestions = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from indexer.cli import main
main(sys.argv[1:])
"""


def test_images_of_an_ingest_killed_between_storing_and_joining_join_with_the_next_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(tmp_path / f"{quality}.jpg") for quality in (95, 94, 93, 80, 79)]
    for path in paths:
        Image.open(BytesIO(png(1))).convert("RGB").save(path, quality=int(Path(path).stem))
    given = ["--home", str(tmp_path / "home"), "--detector", str(tiny_detector(tmp_path / "detector", seed=1))]
    ingest = [*given, "ingest", "--label", "fake"]
    assert run([*ingest, *paths[:3]]) == run([*given, "cluster"]) == 0
    killed = subprocess.run([sys.executable, "-c", KILLED_BEFORE_JOINING, *ingest, *paths[3:]], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert run([*ingest, paths[4]]) == 0
    capsys.readouterr()
    assert run([*given, "campaigns", "--json"]) == 0
    assert [campaign["size"] for campaign in json.loads(capsys.readouterr().out)] == [5]
