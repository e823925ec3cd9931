"""Folders of pictures, and what auto-archiver leaves behind."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from indexer.enrichment.inputs.inputs import open_input
from indexer.enrichment.run import Enrichment, EnrichmentReport
from indexer.errors import SourceError, UsageError
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.workspace import Workspace
from tests.made_pictures import png


def enriched(workspace: Workspace, source: Path, output: Path) -> EnrichmentReport:
    found = open_input(source, {}, ImageLimits.from_settings(workspace.settings))
    return Enrichment(workspace, found, output).run()


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_folder_becomes_a_table_of_its_pictures(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    (folder / "in").mkdir(parents=True)
    (folder / "=1+1.png").write_bytes(png(0))
    (folder / "in" / "broken.png").write_bytes(b"nothing")
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    rows = read(enriched(workspace, folder, tmp_path / "out.csv").output)
    assert [(row["path"], row["dejafake_outcome"]) for row in rows] == [
        ("'=1+1.png", "known_fake_match"),
        ("in/broken.png", ""),
    ]
    report = enriched(workspace, folder, tmp_path / "out.parquet")
    assert pq.read_table(report.output)["path"].to_pylist() == ["=1+1.png", "in/broken.png"]
    lines = enriched(workspace, folder, tmp_path / "out.jsonl").output.read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["dejafake_match_sha256"] == sha256_hex(png(0))
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def medium(filename: str, **properties: object) -> dict[str, Any]:
    return {
        "filename": filename,
        "key": None,
        "urls": ["https://example.org/stored"],
        "properties": properties,
        "_mimetype": "video/mp4" if filename.endswith("mp4") else "image/png",
        "_stored": True,
    }


def archived(folder: Path, *media: object) -> Path:
    """The CSV as auto-archiver writes it: cells are `str()` of Python values."""
    with (folder / "db.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["status", "metadata", "media"])
        writer.writeheader()
        for cell in media:
            writer.writerow({"status": "success", "metadata": {"url": "https://example.org"}, "media": cell})
    return folder / "db.csv"


def test_an_archivers_row_gets_the_gravest_answer_of_its_pictures(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "known.png").write_bytes(png(0))
    (tmp_path / "new.png").write_bytes(png(50))
    stored = medium("/gone/on/a/server.png", hash=f"SHA-256:{sha256_hex(png(1))}", pdq_hash="0" * 58)
    source = archived(
        tmp_path,
        [medium("new.png"), medium("clip.mp4"), medium("known.png")],
        [medium("new.png")],
        [stored],
        [stored | {"filename": "gone.png"}],
        [medium("clip.mp4")],
        [medium("new.png"), medium("missing.png")],
    )
    report = enriched(workspace, source, tmp_path / "out.csv")
    rows = read(report.output)
    assert [row["dejafake_outcome"] for row in rows] == [
        "known_fake_match",
        "no_match_found",
        "known_fake_match",
        "known_fake_match",
        "",
        "",
    ]
    assert rows[0]["dejafake_sha256"] == sha256_hex(png(0))
    assert {row["dejafake_match_sha256"] for row in rows[2:4]} == {sha256_hex(png(1))}, "by hash: no file is here"
    assert "no picture" in rows[4]["dejafake_error"]
    assert "cannot be read" in rows[5]["dejafake_error"], "what could not be looked at does not hide"
    assert rows[0]["media"] == read(source)[0]["media"]


@pytest.mark.parametrize(
    "cell",
    [
        "__import__('os').system('touch harmed')",
        "[Media(filename='a.png')]",
        "[" * 50_000,
        "-" * 50_000 + "1",
        "{'a': 1}",
        "[1, None, 'x']",
    ],
)
def test_a_hostile_cell_is_never_evaluated(workspace: Workspace, tmp_path: Path, cell: str) -> None:
    (row,) = read(enriched(workspace, archived(tmp_path, cell), tmp_path / "out.csv").output)
    assert row["dejafake_error"]
    assert not Path("harmed").exists()


def test_each_picture_of_a_metadata_json_gets_its_own_answer(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "known.png").write_bytes(png(0))
    document = {
        "status": "success",
        "metadata": {"title": "a page", "n": 1.5},
        "media": [medium("clip.mp4"), medium("known.png"), medium("../outside.png")],
    }
    source = tmp_path / "metadata.json"
    source.write_text(json.dumps(document), encoding="utf-8")
    made = json.loads(enriched(workspace, source, tmp_path / "out.json").output.read_text(encoding="utf-8"))
    clip, known, outside = made["media"]
    assert clip == document["media"][0]
    assert known["dejafake_outcome"] == "known_fake_match"
    assert "not a path inside" in outside["dejafake_error"]
    assert {key: known[key] for key in document["media"][1]} == document["media"][1]
    assert {key: made[key] for key in ("status", "metadata")} == {key: document[key] for key in ("status", "metadata")}


def test_what_cannot_be_enriched_is_refused_with_what_can(workspace: Workspace, tmp_path: Path) -> None:
    limits = ImageLimits.from_settings(workspace.settings)
    (tmp_path / "other.json").write_text("[]", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("words", encoding="utf-8")
    with pytest.raises(SourceError, match="list `media`"):
        open_input(tmp_path / "other.json", {}, limits)
    with pytest.raises(UsageError, match=r"give a \.csv"):
        open_input(tmp_path / "notes.txt", {}, limits)
    with pytest.raises(SourceError, match="no file or folder"):
        open_input(tmp_path / "nothing.csv", {}, limits)
    with pytest.raises(UsageError, match="no columns to map"):
        open_input(tmp_path, {"path": "file"}, limits)
