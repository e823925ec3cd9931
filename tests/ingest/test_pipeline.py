"""How pictures get in: labels, sightings and rejections end where they belong, once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import ImageDetails
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.provenance import ProvenanceRow
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions, IngestReport, ItemOutcome
from indexer.settings import Settings
from indexer.sightings import NewSighting
from indexer.sources import SourceItem, SourceRejection, open_source
from indexer.sources.label_words import TABLE_ONLY, LabelWords
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, ProvenanceKind, Technique
from indexer.workspace import Workspace
from tests.made_pictures import encoded, generated_png, png, recompressed, scene

SEEN = NewSighting(url="https://example.org/p/1", platform="example-social", posted_at=datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(Settings.load(home=tmp_path / "home", batch_size=2)) as opened:
        yield opened


def item(number: int, location: str | None = None, **said: object) -> SourceItem:
    return replace(SourceItem("list.csv", location or f"{number}.png", lambda: png(number)), **said)


def ingest(
    workspace: Workspace, *items: SourceItem | SourceRejection, options: IngestOptions | None = None
) -> tuple[IngestReport, list[ItemOutcome]]:
    outcomes: list[ItemOutcome] = []
    return workspace.ingest(options).run(items, outcomes.append), outcomes


def stored(workspace: Workspace, number: int) -> ImageDetails:
    with workspace.catalog.reading() as session:
        details = images.get(session, sha256_hex(png(number)))
    assert details is not None
    return details


def test_everything_a_source_says_is_kept(workspace: Workspace) -> None:
    said = item(
        1,
        value=LabelValue.FAKE,
        technique=Technique.SPLICE,
        generator="photo editor",
        label_reason="the sky is from another photograph",
        sighting=SEEN,
        collections=("spring",),
        fields={"desk": "north"},
    )
    report, _ = ingest(workspace, said, options=IngestOptions(collections=("all",)))
    details = stored(workspace, 1)
    assert (report.added, report.labels_added, report.sightings_added) == (1, 1, 1)
    assert details.image.label.value is LabelValue.FAKE
    assert details.labels[0].technique is Technique.SPLICE
    assert details.labels[0].source == "list.csv"
    assert details.labels[0].source_kind is LabelSource.TRUSTED_FEED
    assert details.sightings[0].platform == "example-social"
    assert set(details.collections) == {"all", "spring"}
    assert details.sources[0].fields == {"desk": "north"}


def test_ingesting_again_does_nothing_twice(workspace: Workspace) -> None:
    said = [item(number, value=LabelValue.FAKE, sighting=SEEN) for number in range(5)]
    ingest(workspace, *said)
    before = [stored(workspace, number) for number in range(5)]
    report, _ = ingest(workspace, *said)
    assert (report.added, report.known, report.labels_added, report.sightings_added) == (0, 5, 0, 0)
    assert [stored(workspace, number) for number in range(5)] == before


def test_duplicate_rows_make_one_image_with_both_places(workspace: Workspace) -> None:
    report, outcomes = ingest(workspace, item(1, "a.png"), item(1, "b.png"))
    assert [outcome.status for outcome in outcomes] == ["added", "known"]
    assert report.seen == 2
    assert {source.location for source in stored(workspace, 1).sources} == {"a.png", "b.png"}


@pytest.mark.parametrize("between", [0, 5], ids=["in one transaction", "in two transactions"])
def test_labels_of_one_list_that_disagree_are_both_kept_and_disputed(workspace: Workspace, between: int) -> None:
    fake = item(1, value=LabelValue.FAKE, edition="one")
    authentic = item(1, "again.png", value=LabelValue.AUTHENTIC, edition="one")
    report, outcomes = ingest(workspace, fake, *(item(9 + n) for n in range(between)), authentic)
    details = stored(workspace, 1)
    assert {label.value for label in details.labels} == {LabelValue.FAKE, LabelValue.AUTHENTIC}
    assert details.image.label.disputed
    assert details.image.label.value is LabelValue.UNKNOWN
    assert outcomes[-1].disputed
    assert report.disputed >= 1


def test_a_corrected_list_replaces_what_it_said(workspace: Workspace) -> None:
    ingest(workspace, item(1, value=LabelValue.FAKE, edition="one"))
    ingest(workspace, item(1, value=LabelValue.AUTHENTIC, edition="two"))
    label = stored(workspace, 1).image.label
    assert (label.value, label.disputed) == (LabelValue.AUTHENTIC, False)


def test_a_bad_picture_is_listed_with_its_reason_and_stops_nothing(workspace: Workspace) -> None:
    broken = replace(item(2), read=lambda: png(2)[:200])
    text = SourceItem("list.csv", "note.jpg", lambda: b"dear editor, the picture is below")
    row = SourceRejection("list.csv", "row 7", "bad_row", "row 7: no such label")
    report, outcomes = ingest(workspace, item(1), broken, text, row, item(3))
    assert [outcome.status for outcome in outcomes] == ["added", "rejected", "rejected", "rejected", "added"]
    assert [outcome.reason for outcome in outcomes[1:4]] == ["truncated", "not_an_image", "bad_row"]
    assert report.rejected_file is not None
    lines = report.rejected_file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert '"reason": "truncated"' in lines[0]


def test_bytes_that_are_not_what_the_list_promised_are_refused(workspace: Workspace) -> None:
    _, outcomes = ingest(workspace, item(1, expected_sha256="0" * 64))
    assert outcomes[0].reason == "sha256_mismatch"


def test_defaults_hold_only_where_the_source_is_silent(workspace: Workspace) -> None:
    options = IngestOptions(label=LabelValue.FAKE, technique=Technique.FACE_SWAP, stated_by="M. Duval")
    ingest(workspace, item(1), item(2, value=LabelValue.AUTHENTIC), options=options)
    assert stored(workspace, 1).image.label.technique is Technique.FACE_SWAP
    assert stored(workspace, 1).image.label.source == "M. Duval"
    assert stored(workspace, 2).image.label.value is LabelValue.AUTHENTIC


def test_the_order_of_a_source_is_kept_whatever_the_threads_do(workspace: Workspace) -> None:
    _, outcomes = ingest(workspace, *(item(number) for number in range(20)))
    assert [outcome.location for outcome in outcomes] == [f"{number}.png" for number in range(20)]


def test_an_untrained_detector_leaves_no_probability_behind(tmp_path: Path, untrained_detector: Path) -> None:
    with Workspace(Settings.load(home=tmp_path / "home", detector=str(untrained_detector))) as workspace:
        ingest(workspace, item(1))
        (detection,) = stored(workspace, 1).detections
    assert (detection.trained, detection.p_fake) == (False, None)


def test_originals_are_kept_byte_for_byte_unless_turned_off(workspace: Workspace, tmp_path: Path) -> None:
    data = recompressed(4)
    ingest(workspace, SourceItem("list.csv", "4.jpg", lambda: data))
    assert workspace.originals.get(sha256_hex(data)) == data
    with Workspace(Settings.load(home=tmp_path / "lean", keep_originals=False)) as lean:
        ingest(lean, SourceItem("list.csv", "4.jpg", lambda: data))
        assert lean.originals.get(sha256_hex(data)) is None
        assert lean.thumbnails.get(sha256_hex(data)) is not None


def test_a_picture_that_cannot_be_read_now_is_read_by_the_next_run(workspace: Workspace) -> None:
    def gone() -> bytes:
        raise ImageRejectedError("unreadable", "the file cannot be read; check its permissions")

    assert ingest(workspace, replace(item(1), read=gone))[0].rejected == 1
    assert ingest(workspace, item(1))[0].added == 1


def test_a_disk_that_cannot_be_written_stops_with_one_clear_error_and_loses_nothing(workspace: Workspace) -> None:
    ingest(workspace, item(1))
    folder = workspace.settings.media_dir
    folder.rename(folder.with_name("elsewhere"))
    folder.write_text("a file where the folder should be")
    with pytest.raises(DejafakeError, match="cannot be written"):
        ingest(workspace, item(2))
    assert stored(workspace, 1)


def test_an_image_of_every_mode_gets_in(workspace: Workspace) -> None:
    kinds = [scene(5).convert(mode) for mode in ("L", "P", "RGBA", "CMYK", "1")]
    files = [encoded(kind, "TIFF") for kind in kinds]
    items = [SourceItem("folder", f"{n}.tif", lambda data=data: data) for n, data in enumerate(files)]
    report, _ = ingest(workspace, *items)
    assert report.added == len(kinds)


def test_what_a_file_says_of_its_origin_is_kept_with_the_image_and_labels_nothing(workspace: Workspace) -> None:
    data = generated_png(1)
    ingest(workspace, SourceItem("folder", "1.png", lambda: data), item(2))
    with workspace.catalog.reading() as session:
        details = images.get(session, sha256_hex(data))
        found = images.page(session, ImageFilter(model_hash="6ce0161689"), limit=5)
    assert details is not None
    (told,) = details.provenance
    assert (told.kind, told.worth) == (ProvenanceKind.GENERATION, EvidenceKind.SELF_DECLARED)
    assert (told.made_with, told.technique) == ("AUTOMATIC1111", Technique.INPAINTING)
    assert told.fields["generation"]["prompt"] == "a mayor"
    assert details.image.label.value is LabelValue.UNKNOWN
    assert [image.sha256 for image in found.items] == [details.image.sha256]
    assert stored(workspace, 2).provenance == ()
    assert stored(workspace, 2).provenance_read_at is not None


def test_an_image_known_from_before_is_read_for_its_origin_when_it_is_ingested_again(workspace: Workspace) -> None:
    data = generated_png(1)
    said = SourceItem("folder", "1.png", lambda: data)
    ingest(workspace, said)
    with workspace.catalog.writing() as session:  # as if it came with an older version
        session.execute(delete(ProvenanceRow))
        session.execute(update(ImageRow).values(provenance_read_at=None))
    report, _ = ingest(workspace, said, said)
    with workspace.catalog.reading() as session:
        details = images.get(session, sha256_hex(data))
    assert (report.added, report.known) == (0, 2)
    assert details is not None
    assert len(details.provenance) == 1


def test_a_word_that_gives_no_label_is_kept_and_counted_and_takes_no_default(workspace: Workspace) -> None:
    claim, number = TABLE_ONLY.read("FALSE"), TABLE_ONLY.read("AI-generated")
    said = [item(1, word=claim, fields={"label": "FALSE"}), item(2, word=number, value=number.value), item(3)]
    report, _ = ingest(workspace, *said, options=IngestOptions(label=LabelValue.AUTHENTIC))
    assert (report.added, report.labels_added, report.rejected) == (3, 2, 0)
    assert [stored(workspace, one).image.label.value.value for one in (1, 2, 3)] == ["unknown", "fake", "authentic"]
    assert stored(workspace, 1).labels == ()
    assert stored(workspace, 1).sources[0].fields == {"label": "FALSE"}
    assert [(one.word, one.value, one.count) for one in report.label_words] == [
        ("AI-generated", LabelValue.FAKE, 1),
        ("FALSE", None, 1),
    ]


def test_a_mapping_given_later_takes_the_place_of_the_one_before(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    (tmp_path / "m.csv").write_text("path,label\n0.png,0\n1.png,1\n", encoding="utf-8")
    limits = ImageLimits.from_settings(workspace.settings)
    labels = []
    for given in ((), ("0=authentic,1=fake",), ("0=fake,1=authentic",)):
        workspace.ingest().run(open_source(tmp_path / "m.csv", limits, words=LabelWords.of(given)))
        labels.append([stored(workspace, number).image.label.value.value for number in range(2)])
    assert labels == [["unknown", "unknown"], ["authentic", "fake"], ["fake", "authentic"]]
