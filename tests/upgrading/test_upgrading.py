"""A home that version 0.1.0 made goes on with the code of today: opened, searched, its hashes renewed, searched again.

`make_old_home.py` tells what is in it: of pictures 0 to 5 and two copies of picture 0 the originals are kept, of 6, 7
and 8 they are not; there are labels, sightings, a collection, a campaign, a watch and a hash list.
"""

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from sqlite3 import connect

import pytest

from indexer.catalog import hash_lists
from indexer.catalog.campaigns import campaigns
from indexer.catalog.images import images, reference_hashes
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.watches import events as watch_events
from indexer.catalog.watches import watches
from indexer.cli.app import run
from indexer.enrichment.answer_columns import COLUMNS, answer_cells
from indexer.exchange.hash_lists import export_hashes
from indexer.imaging.decoding import decode, sha256_hex
from indexer.imaging.hashing import pdq_hash
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.reindex.hashes import Rehash
from indexer.settings import Settings
from indexer.sources import SourceItem
from indexer.vocabulary import HashAlgorithm, LabelValue, Outcome, Relation
from indexer.watching import Lookout
from indexer.workspace import Workspace

OLD_HOME = Path(__file__).with_name("old_home.zip")
KEPT, LOST = 8, 3
LIMITS = ImageLimits(max_bytes=2**26, max_pixels=10_000_000, max_frames=10)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with zipfile.ZipFile(OLD_HOME) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def workspace(home: Path, untrained_detector: Path) -> Iterator[Workspace]:
    with Workspace(Settings.load(home=home, detector=str(untrained_detector), precision="fp32")) as opened:
        yield opened


def originals(home: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((home / "media").rglob("*")) if path.is_file()]


def lost(home: Path) -> list[bytes]:
    return [(home.parent / "pictures" / f"{number}.jpg").read_bytes() for number in (6, 7, 8)]


def methods(workspace: Workspace) -> dict[str, str]:
    with workspace.catalog.reading() as session:
        found = images.page(session, ImageFilter(), limit=100).items
    return {image.sha256: image.pdq_method for image in found}


def smaller_copy(data: bytes) -> bytes:
    """The picture at two thirds of its size, as somebody re-shared it."""
    picture = decode(data, LIMITS).rgb
    buffer = BytesIO()
    picture.resize((picture.width * 2 // 3, picture.height * 2 // 3)).save(buffer, "JPEG", quality=60)
    return buffer.getvalue()


def assert_found(workspace: Workspace, data: bytes) -> None:
    """The image itself, and a re-shared copy of it by its PDQ hash."""
    assert workspace.searcher.by_bytes(data).matches[0].relation is Relation.SAME_FILE
    answer = workspace.searcher.by_bytes(smaller_copy(data))
    relations = {match.image.image.sha256: match.relation for match in answer.matches if match.holds}
    assert relations.get(sha256_hex(data)) is Relation.SAME_PICTURE


def test_the_file_is_really_of_the_version_before(home: Path) -> None:
    connection = connect(home / "catalogue.sqlite")
    assert connection.execute("SELECT DISTINCT pdq_method FROM image").fetchall() == [
        ("pdqhash 0.2.8 of 512x512 bilinear",)
    ]
    columns = [row[1] for row in connection.execute("PRAGMA table_info(image)")]
    assert "pdq_changed" not in columns
    connection.close()


def test_everything_is_still_there_and_old_hashes_are_marked(workspace: Workspace) -> None:
    with workspace.catalog.reading() as session:
        counts = images.counts(session)
        assert (counts.images, counts.fake, counts.authentic) == (KEPT + LOST, 8, 3)
        assert (counts.sightings, counts.collections, counts.campaigns) == (9, 1, 1)
        (campaign,) = campaigns.page(session, limit=10).items
        assert campaign.size == 3
        assert [one.hashes for one in hash_lists.all_lists(session)] == [1]
        assert len(watches.page(session, 10).items) == 1
        assert reference_hashes.count_lacking(session) == KEPT + LOST
    assert set(methods(workspace).values()) == {"bilinear_512"}


def test_searches_find_everything_before_and_after_and_exports_give_reference_hashes_only(
    home: Path, workspace: Workspace
) -> None:
    for data in originals(home) + lost(home):
        assert_found(workspace, data)
    assert exported(workspace) == []
    report = Rehash(workspace).run()
    assert (report.renewed, dict(report.kept), report.remaining) == (KEPT, {"no_original": LOST}, LOST)
    # the process that searched before has taken the new hashes
    for data in originals(home) + lost(home):
        assert_found(workspace, data)
    for data in originals(home):
        assert workspace.index.same_picture([pdq_hash(decode(data, LIMITS).rgb).bits], 0)
    expected = sorted({f"pdq {pdq_hash(decode(data, LIMITS).rgb).hex}" for data in originals(home)})
    assert exported(workspace, LabelValue.FAKE) + exported(workspace, LabelValue.AUTHENTIC) != []
    assert exported(workspace) == expected


def exported(workspace: Workspace, label: LabelValue | None = None) -> list[str]:
    stream = StringIO()
    export_hashes(workspace.catalog, ImageFilter(label=label), HashAlgorithm.PDQ, stream, min_quality=50)
    return stream.getvalue().splitlines()


def test_the_list_of_the_old_version_still_works(home: Path, workspace: Workspace) -> None:
    listed = (home.parent / "pictures" / "listed.jpg").read_bytes()
    answer = workspace.searcher.by_bytes(smaller_copy(listed))
    assert [one.entry.source for one in answer.listed] == ["Example Exchange"]
    assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH


def test_the_watch_of_the_old_version_finds_a_copy_that_comes_now(home: Path, workspace: Workspace) -> None:
    with workspace.catalog.reading() as session:
        (watch,) = watches.page(session, 10).items
    copy = smaller_copy(workspace.originals.get(watch.image or "") or b"")
    workspace.ingest(IngestOptions()).run([SourceItem("new.csv", "1.jpg", lambda: copy)])
    Lookout.of(workspace).look(datetime.now(UTC))
    with workspace.catalog.reading() as session:
        (event,) = watch_events.page(session, watch.id, 10).items
    assert (event.sha256, event.relation) == (sha256_hex(copy), Relation.SAME_PICTURE)


def test_doctor_counts_old_hashes_and_says_what_to_do(
    home: Path, untrained_detector: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEJAFAKE_HOME", str(home))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
    assert run(["doctor", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["PDQ hashes"]["state"] == "warning"
    assert "11 images" in found["PDQ hashes"]["detail"]
    assert "dejafake hashes rebuild" in found["PDQ hashes"]["detail"]


def test_enrichment_leaves_an_old_hash_out_and_gives_the_one_of_a_picture(home: Path, workspace: Workspace) -> None:
    place = [column.name for column in COLUMNS].index("pdq")
    data = lost(home)[0]
    assert answer_cells(workspace.searcher.by_sha256(sha256_hex(data)))[place] is None
    assert answer_cells(workspace.searcher.by_bytes(data))[place] == pdq_hash(decode(data, LIMITS).rgb).hex


def test_a_picture_that_comes_again_takes_the_reference_hash(home: Path, workspace: Workspace) -> None:
    data = lost(home)[0]
    item = SourceItem("again.csv", "6.jpg", lambda: data)
    workspace.ingest(IngestOptions()).run([item])
    assert methods(workspace)[sha256_hex(data)] == "reference"
    assert_found(workspace, data)


def test_a_damaged_original_keeps_the_old_hash(home: Path, workspace: Workspace) -> None:
    path = next(path for path in sorted((home / "media").rglob("*")) if path.is_file())
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    report = Rehash(workspace).run()
    assert dict(report.kept) == {"changed_original": 1, "no_original": LOST}
    assert methods(workspace)[path.name] == "bilinear_512"


KILLED_AFTER = """
import os, signal, sys
from indexer.reindex import hashes as rehash
from indexer.cli.app import run
rehash._BATCH = 2
done = 0
store = rehash.Rehash._store
def dying(self, batch):
    global done
    renewed = store(self, batch)
    done += len(batch)
    if done >= 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return renewed
rehash.Rehash._store = dying
run(["hashes", "rebuild"])
"""


def test_killed_at_work_it_goes_on_where_it_was(
    home: Path, untrained_detector: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEJAFAKE_HOME", str(home))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
    died = subprocess.run([sys.executable, "-c", KILLED_AFTER], env=os.environ, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    with Workspace(Settings.load(home=home, detector=str(untrained_detector), precision="fp32")) as workspace:
        said = list(methods(workspace).values())
        assert said.count("reference") == 4
        for data in originals(home) + lost(home):
            assert_found(workspace, data)
    assert run(["hashes", "rebuild", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["renewed"], told["kept"], told["remaining"]) == (KEPT - 4, {"no_original": LOST}, LOST)
    assert run(["hashes", "rebuild"]) == 0
    assert "0 hashes renewed" in capsys.readouterr().out
