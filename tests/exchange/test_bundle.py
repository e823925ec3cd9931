"""A bundle carries a catalogue to another desk: verified before anything is written, merged without overwriting."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from indexer.catalog import Catalog
from indexer.catalog.detections import embeddings
from indexer.catalog.images import images, labels, provenance
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import ImageDetails
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.cli.app import run
from indexer.exchange.bundle import import_bundle, open_bundle
from indexer.files.media import MediaStore
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, ProvenanceKind, Technique
from tests.exchange.bundles import changed, destination, edited, everything, read, write
from tests.exchange.filled_catalogue import FINGERPRINT, add_image, digest, vector
from tests.made_pictures import encoded, scene

HUMAN, FEED = LabelSource.HUMAN, LabelSource.TRUSTED_FEED
FAKE, AUTHENTIC, UNKNOWN = LabelValue.FAKE, LabelValue.AUTHENTIC, LabelValue.UNKNOWN


def known(catalog: Catalog, number: int) -> ImageDetails:
    with catalog.reading() as session:
        found = images.get(session, digest(number))
    assert found is not None
    return found


def state(catalog: Catalog, number: int, *said: NewLabel) -> None:
    with catalog.writing() as session:
        labels.state(session, images.find_ids(session, [digest(number)])[digest(number)], said)


def said(value: LabelValue, by: str = "desk one", kind: LabelSource = HUMAN) -> NewLabel:
    return NewLabel(value, kind, by)


def test_another_desk_gets_images_labels_sightings_sources_collections_and_embeddings(
    here: Catalog, there: Catalog, tmp_path: Path
) -> None:
    done = read(write(here, tmp_path / "b.dejafake"), there)
    assert (done.images, done.images_added, done.embeddings_added) == (3, 3, 2)
    assert (done.labels_added, done.sightings_added, done.embeddings_refused) == (2, 2, None)
    for number in (1, 2, 3):
        ours, theirs = known(here, number), known(there, number)
        assert theirs.labels == ours.labels, "with the time they were stated"
        assert theirs.image.label == ours.image.label
        assert [(one.url, one.posted_at, one.claim) for one in theirs.sightings] == [
            (one.url, one.posted_at, one.claim) for one in ours.sightings
        ]
        assert theirs.collections == ours.collections
        assert theirs.sources[0] == ours.sources[0]
        assert (theirs.sources[1].source, theirs.sources[1].location) == ("spring.dejafake", digest(number))
        assert (theirs.image.pdq, theirs.image.width) == (ours.image.pdq, ours.image.width)
    with there.reading() as session:
        ids = images.find_ids(session, [digest(1), digest(2)])
        found = embeddings.vectors(session, FINGERPRINT, ids.values())
    for number in (1, 2):
        np.testing.assert_array_equal(found[ids[digest(number)]], vector(number))


def told(catalog: Catalog, number: int, *findings: ProvenanceFinding) -> None:
    with catalog.writing() as session:
        provenance.record(session, images.find_ids(session, [digest(number)])[digest(number)], findings)


GENERATED = ProvenanceFinding(
    ProvenanceKind.GENERATION,
    EvidenceKind.SELF_DECLARED,
    "The PNG text says so.",
    Technique.INPAINTING,
    "ComfyUI",
    "6ce0161689",
    fields={"where": "PNG text", "generation": {"tool": "ComfyUI", "techniques": ["inpainting"], "seed": "5"}},
)
SIGNED = ProvenanceFinding(
    ProvenanceKind.CONTENT_CREDENTIALS,
    EvidenceKind.CRYPTOGRAPHIC,
    "C2PA manifest signed by a desk.",
    digital_source_type="digitalCapture",
    fields={"where": "C2PA manifest", "credentials": {"validation_state": "trusted", "issuer": "a desk"}},
)


def test_what_files_say_of_their_origin_travels_as_told_and_not_as_verified(
    here: Catalog, there: Catalog, tmp_path: Path
) -> None:
    told(here, 1, GENERATED, SIGNED)
    path = write(here, tmp_path / "b")
    assert read(path, there).provenance_added == 1
    before = everything(there)
    generated, signed = known(there, 1).provenance
    assert generated == GENERATED
    assert (signed.worth, signed.fields["credentials"]["validation_state"]) == (EvidenceKind.SELF_DECLARED, "valid")
    assert signed.statement == "Verified by whoever sent it, not here: C2PA manifest signed by a desk."
    assert known(there, 1).provenance_read_at is None, "so that it is read when the file comes"
    with there.reading() as session:
        selection = ImageFilter(declared_technique=Technique.INPAINTING)
        assert [one.sha256 for one in images.page(session, selection, limit=5).items] == [digest(1)]
    assert read(path, there).provenance_added == 0
    assert everything(there) == before
    told(there, 2, SIGNED)
    told(here, 2, GENERATED)
    assert read(write(here, tmp_path / "c"), there).provenance_added == 0
    assert known(there, 2).provenance == (SIGNED,), "what was read here stays"


def test_a_bundle_of_the_first_version_is_read_as_before(here: Catalog, there: Catalog, tmp_path: Path) -> None:
    def older(members: dict[str, bytes]) -> None:
        for name in ("images/00000.jsonl", "images/00001.jsonl"):
            members[name] = members[name].replace(b',"provenance":[]', b"")
        edited(b'"version": 2', b'"version": 1', "manifest.json")(members)

    with changed(write(here, tmp_path / "b"), older) as path:
        assert b"provenance" not in zipfile.ZipFile(path).read("images/00000.jsonl")
        assert read(path, there).images_added == 3


def test_the_same_catalogue_gives_the_same_bytes_and_a_filter_a_smaller_bundle(here: Catalog, tmp_path: Path) -> None:
    one, two = write(here, tmp_path / "1").read_bytes(), write(here, tmp_path / "2").read_bytes()
    assert one == two
    with open_bundle(write(here, tmp_path / "3", selection=ImageFilter(label=FAKE))) as bundle:
        assert [image.sha256 for part in bundle.parts() for image in part.images] == sorted([digest(1), digest(2)])


def test_importing_again_changes_nothing(here: Catalog, there: Catalog, tmp_path: Path) -> None:
    path = write(here, tmp_path / "b")
    read(path, there)
    before = everything(there)
    again = read(path, there)
    assert everything(there) == before
    assert (again.images_added, again.labels_added, again.labels_older, again.sightings_added) == (0, 0, 0, 0)
    assert again.embeddings_added == 0


def test_labels_that_come_home_are_not_repeated_and_do_not_undo_what_was_said_since(
    here: Catalog, there: Catalog, tmp_path: Path
) -> None:
    read(write(here, tmp_path / "out"), there)
    home = write(there, tmp_path / "home")
    before = known(here, 1).labels
    assert read(home, here).labels_added == 0
    assert known(here, 1).labels == before
    state(here, 1, said(AUTHENTIC))
    assert read(home, here).labels_added == 0
    assert known(here, 1).image.label.value is AUTHENTIC


def test_a_source_that_changed_its_mind_is_followed(here: Catalog, there: Catalog, tmp_path: Path) -> None:
    old = write(here, tmp_path / "old")
    read(old, there)
    state(here, 1, said(AUTHENTIC))
    assert read(write(here, tmp_path / "new"), there).labels_added == 1
    assert known(there, 1).image.label.value is AUTHENTIC
    assert read(old, there).labels_added == 0
    assert known(there, 1).image.label.value is AUTHENTIC


def test_an_older_statement_of_a_source_that_spoke_since_is_counted_and_left_out(
    here: Catalog, there: Catalog, tmp_path: Path
) -> None:
    path = write(here, tmp_path / "b")
    with there.writing() as session:
        add_image(session, 1, said=AUTHENTIC, by="desk one")
    done = read(path, there)
    assert done.labels_older == 1
    assert known(there, 1).image.label.value is AUTHENTIC


def test_a_person_here_wins_over_a_feed_there_and_two_persons_dispute(
    here: Catalog, there: Catalog, tmp_path: Path
) -> None:
    with there.writing() as session:
        for number in (1, 2):
            add_image(session, number, said=AUTHENTIC, by="desk two")
    read(write(here, tmp_path / "b"), there)
    assert known(there, 2).image.label.value is AUTHENTIC
    assert known(there, 1).image.label.disputed
    assert {label.source for label in known(there, 1).labels} == {"desk one", "desk two"}


def test_embeddings_of_another_detector_are_refused_in_one_line_and_the_rest_is_kept(
    here: Catalog, there: Catalog, tmp_path: Path
) -> None:
    done = read(write(here, tmp_path / "b"), there, fingerprint="e" * 64)
    assert done.embeddings_refused is not None
    assert "2 embeddings are of small (ffffffffffffffff) and were left out" in done.embeddings_refused
    assert (done.embeddings_added, done.images_added, done.labels_added) == (0, 3, 2)
    assert known(there, 1).detections == ()


def test_thumbnails_travel_when_asked_for_and_are_made_anew(here: Catalog, there: Catalog, tmp_path: Path) -> None:
    kept = MediaStore(tmp_path / "kept")
    kept.put(digest(1), encoded(scene(1), "JPEG", comment=b"from outside"))
    kept.put(digest(2), b"no picture")
    assert read(write(here, tmp_path / "without"), there).thumbnails_added == 0
    done = read(write(here, tmp_path / "with", thumbnails=kept), there, tmp_path / "there")
    assert (done.thumbnails_added, done.thumbnails_rejected) == (1, 1)
    made = MediaStore(tmp_path / "there" / "thumbnails").get(digest(1))
    assert made is not None
    assert b"from outside" not in made


def test_an_import_that_was_stopped_is_finished_by_the_next(here: Catalog, there: Catalog, tmp_path: Path) -> None:
    path = write(here, tmp_path / "b")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with open_bundle(path) as bundle, pytest.raises(KeyboardInterrupt):
        import_bundle(bundle, "b", destination(there, tmp_path), observe=stop)
    with there.reading() as session:
        assert images.counts(session).images == 2, "the first part is whole"
    assert read(path, there).images_added == 1


def test_the_command_carries_a_catalogue_to_an_air_gapped_desk(
    tmp_path: Path, untrained_detector: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
    for home in ("here", "there"):
        (tmp_path / home).mkdir()
    with Catalog.open(f"sqlite:///{tmp_path / 'here' / 'catalogue.sqlite'}") as catalog, catalog.writing() as session:
        add_image(session, 1)
    file = str(tmp_path / "spring.dejafake")
    assert run(["--home", str(tmp_path / "here"), "export", "--bundle", file]) == 0
    sent = capsys.readouterr().out.split()[1]
    assert run(["--home", str(tmp_path / "there"), "import", file, "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert (got["bundle"], got["images_added"], got["labels_added"]) == (sent, 1, 1)
    assert run(["--home", str(tmp_path / "there"), "search", digest(1)]) == 0
    assert "known fake match" in capsys.readouterr().out
    assert run(["--home", str(tmp_path / "there"), "export", "--thumbnails"]) == 2
    assert run(["--home", str(tmp_path / "there"), "import", str(tmp_path / "here")]) == 1
