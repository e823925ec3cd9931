"""What else an old version left: heads whose figures all had intervals, and labels guessed from 0 and 1.

`make_old_head.py` tells how the head was made.
"""

import zipfile
from pathlib import Path

import pytest

from indexer.catalog.images import images, labels
from indexer.catalog.records.labels import NewLabel
from indexer.heads import HeadStore
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.sources.items import file_edition
from indexer.sources.label_words import LabelWords
from indexer.vocabulary import LabelSource, LabelValue
from indexer.workspace import Workspace
from tests.heads.planted_heads import bundled, planted
from tests.made_pictures import png

OLD_HEAD = Path(__file__).with_name("old_head.zip")


def test_a_head_of_the_old_version_still_answers(tmp_path: Path) -> None:
    with zipfile.ZipFile(OLD_HEAD) as archive:
        archive.extractall(tmp_path)
    store = HeadStore(tmp_path / "heads", bundled(tmp_path).fingerprint)
    (finding,) = store.findings(planted(12).embeddings[20])
    assert (finding.name, finding.top, finding.n) == ("generators", "aurora", 36)
    assert finding.accuracy.interval is not None
    assert "95 % interval" in finding.statement
    assert store.load("generators").description.weights_sha256


@pytest.mark.parametrize(
    ("given", "value"), [(("0=fake,1=authentic",), LabelValue.FAKE), ((), LabelValue.AUTHENTIC)], ids=["said", "unsaid"]
)
def test_a_label_that_the_old_version_guessed_is_replaced_once_somebody_says_what_0_means(
    given: tuple[str, ...], value: LabelValue, tmp_path: Path, untrained_detector: Path
) -> None:
    (tmp_path / "a.png").write_bytes(png(0))
    table = tmp_path / "m.csv"
    table.write_text("path,label\na.png,0\n", encoding="utf-8")
    settings = Settings.load(home=tmp_path / "home", detector=str(untrained_detector), precision="fp32")

    def ingest(workspace: Workspace, words: LabelWords) -> None:
        workspace.ingest().run(open_source(table, ImageLimits.from_settings(settings), words=words))

    with Workspace(settings) as workspace:
        ingest(workspace, LabelWords.of())
        with workspace.catalog.writing() as session:
            (image_id,) = images.find_ids(session, [sha256_hex(png(0))]).values()
            guessed = NewLabel(LabelValue.AUTHENTIC, LabelSource.TRUSTED_FEED, "m.csv", edition=file_edition(table))
            labels.state(session, image_id, [guessed])
        ingest(workspace, LabelWords.of(given))
        with workspace.catalog.reading() as session:
            current = labels.current(session, image_id)
    assert (current.value, current.disputed) == (value, False)
