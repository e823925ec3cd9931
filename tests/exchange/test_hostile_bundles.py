"""Bundles that are damaged, forged or no bundles are refused in one line, and nothing of them is written."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from indexer.catalog import Catalog
from indexer.errors import SourceError
from tests.exchange.bundles import Change, changed, edited, everything, read, write
from tests.exchange.filled_catalogue import digest
from tests.made_pictures import png


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
    monkeypatch.setattr("indexer.sources.archives.members._UNPACKED_FLOOR", 0)
    bomb = put("images/00002.jsonl", b"\n" * (8 * 2**20))
    with changed(write(here, tmp_path / "b"), bomb) as path, pytest.raises(SourceError, match="hundred times its size"):
        read(path, there)
    picture = tmp_path / "picture.png"
    picture.write_bytes(png(1))
    for path in (picture, tmp_path / "missing", tmp_path):
        with pytest.raises(SourceError, match="cannot be read as a bundle"):
            read(path, there)
