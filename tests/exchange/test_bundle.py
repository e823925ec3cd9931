"""A bundle carries a catalogue to another desk: verified before anything is written, merged without overwriting."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filled_catalogue import FINGERPRINT, add_image, digest, vector
from made_pictures import encoded, png, scene
from safetensors.numpy import save

from indexer.catalog import Catalog, embeddings, images, labels, provenance
from indexer.catalog.records import ImageDetails, ImageFilter, NewLabel, ProvenanceFinding
from indexer.cli.app import run
from indexer.detector.bundled import SPEC
from indexer.errors import SourceError
from indexer.exchange import export_images
from indexer.exchange.bundle import BundleImport, export_bundle, import_bundle, open_bundle
from indexer.exchange.bundle.importing import Destination
from indexer.exchange.bundle.layout import BundledDetector
from indexer.imaging.limits import ImageLimits
from indexer.imaging.media import MediaStore
from indexer.vocabulary import EvidenceKind, LabelSource, LabelValue, ProvenanceKind, Technique

DETECTOR = BundledDetector(name="small", fingerprint=FINGERPRINT)
HUMAN, FEED = LabelSource.HUMAN, LabelSource.TRUSTED_FEED
FAKE, AUTHENTIC, UNKNOWN = LabelValue.FAKE, LabelValue.AUTHENTIC, LabelValue.UNKNOWN


@pytest.fixture
def here(database_url: str) -> Iterator[Catalog]:
    """A catalogue of three images, two of them embedded, one never labelled."""
    with Catalog.open(database_url) as opened:
        with opened.writing() as session:
            add_image(session, 1, embedded=True, collection="spring")
            add_image(session, 2, embedded=True, by="list", kind=FEED)
            add_image(session, 3, said=None, seen=())
        yield opened


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Catalog]:
    """An empty catalogue."""
    with Catalog.open(f"sqlite:///{tmp_path / 'there.sqlite'}") as opened:
        yield opened


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.exchange.bundle.writing._IMAGES_AT_ONCE", 2)


def write(catalog: Catalog, path: Path, **options: Any) -> Path:
    export_bundle(catalog, options.pop("wanted", ImageFilter()), DETECTOR, path, **options)
    return path


def destination(catalog: Catalog, folder: Path, fingerprint: str = FINGERPRINT) -> Destination:
    limits = ImageLimits(2**26, 100_000_000, 2_000)
    return Destination(catalog, SPEC, fingerprint, MediaStore(folder / "thumbnails"), 320, limits)


def read(path: Path, catalog: Catalog, folder: Path | None = None, **options: Any) -> BundleImport:
    with open_bundle(path) as bundle:
        return import_bundle(bundle, "spring.dejafake", destination(catalog, folder or path.parent, **options))


def known(catalog: Catalog, number: int) -> ImageDetails:
    with catalog.reading() as session:
        found = images.get(session, digest(number))
    assert found is not None
    return found


def everything(catalog: Catalog) -> str:
    stream = io.StringIO(newline="")
    export_images(catalog, ImageFilter(), "jsonl", stream)
    return stream.getvalue()


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
        wanted = ImageFilter(declared_technique=Technique.INPAINTING)
        assert [one.sha256 for one in images.page(session, wanted, limit=5).items] == [digest(1)]
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
    with open_bundle(write(here, tmp_path / "3", wanted=ImageFilter(label=FAKE))) as bundle:
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


Change = Callable[[dict[str, bytes]], None]


@contextmanager
def changed(path: Path, change: Change, *, seal: bool = True) -> Iterator[Path]:
    """A copy of a bundle with other members; `seal`: with a manifest that fits them."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if seal:
        manifest = json.loads(members["manifest.json"])
        manifest["members"] = [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in members.items()
            if name != "manifest.json"
        ]
        members["manifest.json"] = json.dumps(manifest).encode()
    other = path.with_name("changed")
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    yield other


def edited(old: bytes, new: bytes, name: str = "images/00000.jsonl") -> Change:
    def change(members: dict[str, bytes]) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new)

    return change


def put(name: str, data: bytes) -> Change:
    return lambda members: members.update({name: data})


def unit(count: int, *, scale: float = 1.0) -> bytes:
    return save({"vectors": np.full((count, 384), scale * 384**-0.5, np.float32)})


def thumbnail(text: str) -> bytes:
    return json.dumps({"sha256": digest(1), "jpeg": text}).encode()


SOUND_MANIFEST_HOSTILE_CONTENT: list[tuple[str, Change, str]] = [
    ("a traversing name", put("../../evil.jsonl", b""), "members.4.name"),
    ("an absolute name", put("/etc/passwd", b""), "members.4.name"),
    ("a strange member", put("images/00000.pkl", b""), "members.4.name"),
    ("a gap in the parts", put("images/00007.jsonl", b""), "not numbered in order"),
    ("a script for an address", edited(b'"url":"https://', b'"url":"javascript://'), "sightings.0.url"),
    ("a digest that is none", edited(digest(1).encode(), b"../" + b"a" * 61), "sha256"),
    ("a word nobody knows", edited(b'"value":"fake"', b'"value":"true"'), "labels.0.value"),
    ("a field nobody knows", edited(b'"notes":', b'"exec":1,"notes":'), "exec"),
    ("a finding that is none", edited(b'"provenance":[]', b'"provenance":[{"kind":"generation"}]'), "provenance.0"),
    ("no JSON", edited(b'{"sha256"', b'{{"sha256"'), "line 1"),
    ("a deep value", edited(b'"notes":["a note"]', b'"notes":' + b"[" * 10_000 + b"]" * 10_000), "line 1"),
    ("a time out of range", edited(b'"stated_at":"2', b'"stated_at":"0001-01-01T00:00:00+14:00","x":"2'), "line"),
    ("embeddings too few", put("embeddings/00000.safetensors", unit(0)), "does not hold the"),
    ("embeddings too long", put("embeddings/00000.safetensors", unit(1, scale=2.0)), "not finite and of length 1"),
    ("embeddings not finite", put("embeddings/00000.safetensors", unit(1, scale=np.nan)), "not finite"),
    ("a pickle", put("embeddings/00000.safetensors", b"\x80\x04cos\nsystem\n"), "no safetensors file"),
    ("a thumbnail that is no base64", put("thumbnails/00000.jsonl", thumbnail("?")), "no base64"),
]


@pytest.mark.parametrize(
    ("change", "why"),
    [pytest.param(change, why, id=name) for name, change, why in SOUND_MANIFEST_HOSTILE_CONTENT],
)
def test_hostile_content_is_refused_in_one_line_before_anything_is_written(
    here: Catalog, there: Catalog, tmp_path: Path, change: Change, why: str
) -> None:
    before = everything(there)
    with changed(write(here, tmp_path / "b"), change) as path, pytest.raises(SourceError, match=why) as refusal:
        read(path, there)
    assert everything(there) == before
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 500


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(edited(b"desk one", b"desk 0ne"), "was damaged or changed", id="a changed label"),
        pytest.param(edited(b"desk one", b"desk one!"), "larger than it may be", id="a longer member"),
        pytest.param(put("images/00009.jsonl", b""), "not those its manifest lists", id="one more"),
        pytest.param(lambda m: m.pop("embeddings/00000.safetensors"), "not those its manifest lists", id="one less"),
        pytest.param(lambda m: m.pop("manifest.json"), "no manifest.json", id="no manifest"),
        pytest.param(put("manifest.json", b"[]"), "manifest.json", id="another manifest"),
        pytest.param(edited(b'"version": 2', b'"version": 3', "manifest.json"), "version", id="a newer version"),
        pytest.param(edited(b'"images": 3', b'"images": 4', "manifest.json"), "not the 4 of its", id="a wrong count"),
    ],
)
def test_what_does_not_fit_its_manifest_is_refused_before_anything_is_written(
    here: Catalog, there: Catalog, tmp_path: Path, change: Change, why: str
) -> None:
    before = everything(there)
    path = write(here, tmp_path / "b")
    with changed(path, change, seal=False) as other, pytest.raises(SourceError, match=why):
        read(other, there)
    assert everything(there) == before


def test_a_bomb_and_what_is_no_zip_are_refused(
    here: Catalog, there: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.sources.members._UNPACKED_FLOOR", 0)
    bomb = put("images/00002.jsonl", b"\n" * (8 * 2**20))
    with changed(write(here, tmp_path / "b"), bomb) as path, pytest.raises(SourceError, match="hundred times its size"):
        read(path, there)
    picture = tmp_path / "picture.png"
    picture.write_bytes(png(1))
    for path in (picture, tmp_path / "missing", tmp_path):
        with pytest.raises(SourceError, match="cannot be read as a bundle"):
            read(path, there)


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
