"""Which pictures a detector is judged on, and what is left out and counted."""

from pathlib import Path

import numpy as np
import pytest

from indexer.catalog.images import collections, images, labels
from indexer.catalog.records.labels import NewLabel
from indexer.detector.spec import Head
from indexer.errors import NotFoundError, SourceError, UsageError
from indexer.evaluation.labelled import labelled_pictures, labelled_set, p_fake
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions
from indexer.sources import open_source
from indexer.sources.label_words import LabelWords
from indexer.vocabulary import LabelSource, LabelValue, Technique
from indexer.workspace import Workspace
from tests.evaluation.labelled_folders import authentic, fake, manifest


def ingest(workspace: Workspace, path: Path, collection: str, **options: object) -> None:
    source = open_source(path, ImageLimits.from_settings(workspace.settings))
    workspace.ingest(IngestOptions(collections=(collection,), **options)).run(source)


def state(workspace: Workspace, data: bytes, value: LabelValue, kind: LabelSource, source: str) -> None:
    with workspace.catalog.writing() as session:
        (image_id,) = images.find_ids(session, [sha256_hex(data)]).values()
        labels.state(session, image_id, [NewLabel(value, kind, source)])


def test_a_manifest_and_the_collection_it_was_ingested_into_give_the_same_set(
    workspace: Workspace, labelled_manifest: Path
) -> None:
    read = labelled_set(workspace, str(labelled_manifest))
    ingest(workspace, labelled_manifest, "desk")
    kept = labelled_set(workspace, "collection:desk")
    assert kept.sha256 == read.sha256 == tuple(sorted(read.sha256))
    assert (kept.fake == read.fake).all()
    assert kept.fake.sum() == 6
    np.testing.assert_allclose(kept.logits, read.logits, atol=1e-5)
    np.testing.assert_allclose(kept.embeddings, read.embeddings, atol=1e-5)
    np.testing.assert_allclose(kept.p_fake, read.p_fake, atol=1e-6)
    assert kept.generators == read.generators
    assert kept.techniques == read.techniques
    assert kept.groups == read.groups
    assert set(kept.groups) == {"fakes 0", "fakes 1", "fakes 2", "reals 0", "reals 1", "reals 2"}
    assert kept.sizes.tolist() == [[96, 96]] * 12
    assert kept.fingerprint == workspace.resolved.fingerprint
    assert (kept.name, read.name) == ("collection desk", "labelled.jsonl")


def test_folders_named_fake_and_real_are_labels(workspace: Workspace, tmp_path: Path) -> None:
    for place, data in (("fake", fake(1)), ("real", authentic(1)), ("authentic", authentic(2)), ("other", fake(2))):
        (tmp_path / "set" / place).mkdir(parents=True)
        (tmp_path / "set" / place / "a.png").write_bytes(data)
    read = labelled_set(workspace, str(tmp_path / "set"))
    assert {digest: bool(value) for digest, value in zip(read.sha256, read.fake, strict=True)} == {
        sha256_hex(fake(1)): True,
        sha256_hex(authentic(1)): False,
        sha256_hex(authentic(2)): False,
    }
    assert read.skipped == {"unknown label": 1}


def test_a_source_is_read_once_a_picture_and_what_is_left_out_is_counted(workspace: Workspace, tmp_path: Path) -> None:
    pictures = {"a.png": fake(1), "b.png": authentic(1), "c.png": authentic(2), "broken.png": b"no picture at all"}
    rows = [
        {"path": "a.png", "label": "fake"},
        {"path": "a.png", "label": "fake"},
        {"path": "b.png", "label": "fake"},
        {"path": "b.png", "label": "authentic"},
        {"path": "c.png", "label": "authentic", "Group": "c"},
        {"path": "c.png", "label": "unknown"},
        {"path": "broken.png", "label": "fake"},
        {"path": "absent.png", "label": "fake"},
    ]
    seen: list[tuple[int, int | None]] = []
    path = manifest(tmp_path / "set", pictures, rows)
    read = labelled_set(workspace, str(path), progress=lambda _step, done, total: seen.append((done, total)))
    assert set(read.sha256) == {sha256_hex(fake(1)), sha256_hex(authentic(2))}
    assert read.groups[read.sha256.index(sha256_hex(authentic(2)))] == "c"
    assert read.skipped == {
        "disputed": 1,
        "rejected: not_an_image": 1,
        "rejected: unreadable": 1,
        "unknown label": 1,
    }
    assert seen[-1] == (8, 8)


def test_the_catalogue_leaves_out_disputed_unlabelled_and_what_only_a_model_said(
    workspace: Workspace, labelled_manifest: Path, tmp_path: Path
) -> None:
    ingest(workspace, labelled_manifest, "desk")
    extra = tmp_path / "extra"
    extra.mkdir()
    for number in range(2):
        (extra / f"{number}.png").write_bytes(authentic(50 + number))
    ingest(workspace, extra, "extra")
    state(workspace, authentic(50), LabelValue.FAKE, LabelSource.MODEL, "another detector")
    state(workspace, fake(0), LabelValue.FAKE, LabelSource.HUMAN, "A")
    state(workspace, fake(0), LabelValue.AUTHENTIC, LabelSource.HUMAN, "B")
    everything = labelled_set(workspace, "catalogue")
    assert len(everything) == 11
    assert everything.skipped == {"disputed": 1, "labelled by a model only": 1, "unknown label": 1}
    with pytest.raises(UsageError, match="1 left out: labelled by a model only"):
        labelled_set(workspace, "collection:extra")


def test_pictures_of_another_detector_are_counted_not_mixed(workspace: Workspace, labelled_manifest: Path) -> None:
    ingest(workspace, labelled_manifest, "desk")
    object.__setattr__(workspace.resolved, "fingerprint", "0" * 64)
    with pytest.raises(UsageError, match="12 left out: no embedding by this detector"):
        labelled_set(workspace, "collection:desk")


def test_what_is_not_there_is_said(workspace: Workspace, tmp_path: Path) -> None:
    with workspace.catalog.writing() as session:
        collections.create(session, "elections")
    with pytest.raises(NotFoundError, match="elections"):
        labelled_set(workspace, "collection:election")
    with pytest.raises(UsageError, match="no picture labelled"):
        labelled_set(workspace, "collection:elections")
    with pytest.raises(SourceError, match="check the path"):
        labelled_set(workspace, str(tmp_path / "nowhere"))


def test_pixels_come_from_kept_originals_and_from_the_files(
    workspace: Workspace, labelled_manifest: Path, tmp_path: Path
) -> None:
    ingest(workspace, labelled_manifest, "desk")
    for what in ("collection:desk", str(labelled_manifest)):
        kept, pictures = labelled_pictures(workspace, what)
        assert pictures.data(sha256_hex(fake(3))) == fake(3)
        assert all(pictures.picture(sha256).size == (96, 96) for sha256 in kept.sha256)
        assert pictures.picture("0" * 64) is None


def test_a_file_that_changed_since_gives_no_picture(workspace: Workspace, tmp_path: Path) -> None:
    rows = [{"path": "a.png", "label": "fake"}]
    _, pictures = labelled_pictures(workspace, str(manifest(tmp_path / "set", {"a.png": fake(1)}, rows)))
    (tmp_path / "set" / "a.png").write_bytes(fake(2))
    assert pictures.data(sha256_hex(fake(1))) is None


def test_a_subset_is_a_set_of_its_own(workspace: Workspace, labelled_manifest: Path) -> None:
    whole = labelled_set(workspace, str(labelled_manifest))
    fakes = whole.subset(whole.fake)
    assert len(fakes) == 6
    assert fakes.fake.all()
    assert set(fakes.techniques) == {Technique.TEXT_TO_IMAGE}
    assert whole.subset(np.array([3])).sha256 == whole.sha256[3:4]


def test_p_fake_is_what_the_head_says() -> None:
    assert p_fake(np.array([[0.0], [800.0]], np.float32), Head("sigmoid", 0, ("fake",))).tolist() == [0.5, 1.0]
    two = p_fake(np.array([[np.log(3), 0.0]], np.float32), Head("softmax", 1, ("real", "fake")))
    np.testing.assert_allclose(two, [0.25], atol=1e-6)


def test_numbers_for_labels_are_asked_for_and_taken_as_said(workspace: Workspace, tmp_path: Path) -> None:
    rows = [{"path": "a.png", "label": "0"}, {"path": "b.png", "label": 1}]
    path = str(manifest(tmp_path / "set", {"a.png": fake(1), "b.png": authentic(1)}, rows))
    with pytest.raises(UsageError, match=r"2 left out: a word that gives no label.*--map-label 0=authentic,1=fake"):
        labelled_set(workspace, path)
    read = labelled_set(workspace, path, words=LabelWords.of(("0=fake,1=authentic",)))
    assert dict(zip(read.sha256, read.fake.tolist(), strict=True)) == {
        sha256_hex(fake(1)): True,
        sha256_hex(authentic(1)): False,
    }
    assert [(one.word, str(one.value), one.by_hand) for one in read.label_words] == [
        ("0", "fake", True),
        ("1", "authentic", True),
    ]
    with pytest.raises(UsageError, match="--map-label is for words in manifests"):
        labelled_set(workspace, "catalogue", words=LabelWords.of(("0=fake",)))


def test_a_root_lets_the_paths_of_a_manifest_lead_into_its_folder(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "lists").mkdir()
    rows = ["path,label,posted_at"]
    for name, data, label in (("a.png", fake(1), "fake"), ("b.png", authentic(1), "authentic")):
        (tmp_path / "library" / name).write_bytes(data)
        rows.append(f"{tmp_path / 'library' / name},{label},no date")
    (tmp_path / "lists" / "m.csv").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(UsageError, match="2 left out: rejected: bad_row"):
        labelled_set(workspace, str(tmp_path / "lists" / "m.csv"))
    read = labelled_set(workspace, str(tmp_path / "lists" / "m.csv"), roots=[tmp_path / "library"])
    assert len(read) == 2
