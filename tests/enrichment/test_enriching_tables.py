"""A table goes in, the same rows come out in the same order and format, with the answers beside them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from indexer.enrichment.answer_columns import COLUMNS
from indexer.enrichment.inputs.inputs import open_input
from indexer.enrichment.run import Enrichment, EnrichmentReport
from indexer.errors import UsageError
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.hashing import pdq_hash
from indexer.imaging.limits import ImageLimits
from indexer.sources import lines
from indexer.workspace import Workspace
from tests.enrichment.enriched_tables import as_csv, as_json_lines, as_parquet
from tests.made_pictures import png, recompressed

Rows = list[dict[str, Any]]
ADDED = [f"dejafake_{column.name}" for column in COLUMNS]


def enriched(workspace: Workspace, source: Path, prefix: str = "dejafake_", **mapping: str) -> EnrichmentReport:
    found = open_input(source, mapping, ImageLimits.from_settings(workspace.settings))
    return Enrichment(workspace, found, source.with_name(f"out{source.suffix}"), prefix).run()


def read_csv(path: Path) -> Rows:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def read_json_lines(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_parquet(path: Path) -> Rows:
    return pq.read_table(path).to_pylist()


FORMATS = [(as_csv, read_csv), (as_json_lines, read_json_lines), (as_parquet, read_parquet)]


@pytest.mark.parametrize(("write", "read"), FORMATS, ids=["csv", "jsonl", "parquet"])
def test_same_rows_same_order_with_the_answers_beside_them(
    workspace: Workspace, rows: Rows, tmp_path: Path, write: Callable[..., Path], read: Callable[[Path], Rows]
) -> None:
    source = write(tmp_path, rows)
    report = enriched(workspace, source)
    before, after = read(source), read(report.output)
    assert [{key: row[key] for key in before[0]} for row in after] == before
    assert [list(row) for row in after] == [[*before[0], *ADDED]] * len(rows)
    same, shared, broken, digest, outside, url, nothing = after
    assert same["dejafake_outcome"] == "known_fake_match"
    assert (same["dejafake_match_sha256"], same["dejafake_match_relation"]) == (sha256_hex(png(0)), "same_file")
    assert same["dejafake_sha256"] == sha256_hex(png(0))
    assert (shared["dejafake_match_sha256"], shared["dejafake_match_relation"]) == (sha256_hex(png(1)), "same_picture")
    assert shared["dejafake_match_measure"] == "pdq_distance"
    assert 0 <= float(shared["dejafake_match_score"]) <= 31
    assert 0 < float(shared["dejafake_p_fake"]) < 1
    assert shared["dejafake_match_label"] == "fake"
    assert digest["dejafake_match_sha256"] == sha256_hex(png(2)), "searched without its picture"
    assert float(digest["dejafake_p_fake"]) > 0
    for row, words in ((broken, "ends early"), (outside, "folder"), (url, "never fetched"), (nothing, "nothing to")):
        assert words in row["dejafake_error"]
        assert not row["dejafake_outcome"]
    assert not any(row["dejafake_error"] for row in (same, shared, digest))
    assert report.outcomes == {"error": 4, "known_fake_match": 3}


def test_rows_that_could_not_be_answered_are_listed_with_their_reasons(
    workspace: Workspace, rows: Rows, tmp_path: Path
) -> None:
    report = enriched(workspace, as_csv(tmp_path, rows))
    assert report.rejected_file == tmp_path / "out.rejected.jsonl"
    listed = read_json_lines(report.rejected_file)
    assert [(one["location"], one["reason"]) for one in listed] == [
        ("row 4", "truncated"),
        ("row 6", "bad_row"),
        ("row 7", "bad_row"),
        ("row 8", "nothing_to_search"),
    ]
    assert all(one["message"] for one in listed)


def test_every_byte_of_a_csv_row_stays_and_only_added_cells_are_quoted(workspace: Workspace, tmp_path: Path) -> None:
    digest = sha256_hex(png(0))
    text = f'\ufeffsha256; note ;x\r\n{digest};"two\r\nlines; =1+1";007\r\n\r\n{digest};=cmd();\r\n{digest}'
    source = tmp_path / "cases.csv"
    source.write_bytes(text.encode())
    out = enriched(workspace, source).output.read_bytes().decode()
    answer = '"known_fake_match"'
    assert out.startswith('\ufeffsha256; note ;x;"dejafake_outcome"')
    assert f'\r\n{digest};"two\r\nlines; =1+1";007;{answer}' in out
    assert f"\r\n\r\n{digest};=cmd();;{answer}" in out, "the blank line and the cell stay as they are"
    assert out.rsplit("\r\n", 1)[-1].startswith(f"{digest};;;{answer}"), "a short row is filled up first"
    rows = [row for row in csv.reader(out.removeprefix("\ufeff").splitlines(keepends=True), delimiter=";") if row]
    assert {len(row) for row in rows} == {3 + len(ADDED)}
    assert rows[1][1:3] == ["two\r\nlines; =1+1", "007"]
    assert rows[1][3 + ADDED.index("dejafake_match_label_source")] == "'=desk one", "no formula is added"


def test_a_quote_that_is_never_closed_swallows_no_added_cell(workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "cases.csv"
    source.write_text(f'sha256,note\n{sha256_hex(png(0))},"open\n', encoding="utf-8")
    (row,) = read_csv(enriched(workspace, source).output)
    assert (row["note"], row["dejafake_outcome"]) == ("open\n", "known_fake_match")


def test_json_values_stay_as_they_were_written(workspace: Workspace, tmp_path: Path) -> None:
    digest = sha256_hex(png(0))
    lines = [f'{{"sha256": "{digest}", "n": 1.0, "big": 12345678901234567890, "n": 2 }}', "not JSON", "", "{}"]
    source = tmp_path / "cases.jsonl"
    source.write_text("\n".join(lines), encoding="utf-8")
    report = enriched(workspace, source)
    out = report.output.read_text(encoding="utf-8").split("\n")
    assert out[0].startswith(lines[0].removesuffix(" }") + ', "dejafake_outcome": "known_fake_match"')
    assert out[1:3] == lines[1:3], "what is no object has no place for cells"
    assert json.loads(out[3])["dejafake_error"].startswith("nothing to search with")
    assert [one["reason"] for one in read_json_lines(report.rejected_file or source)] == [
        "bad_row",
        "nothing_to_search",
    ]


def test_parquet_keeps_types_bytes_nesting_and_metadata(workspace: Workspace, tmp_path: Path) -> None:
    table = pa.table(
        {
            "sha256": [sha256_hex(png(0)), None],
            "raw": pa.array([b"\x00\x01", None], pa.binary()),
            "nested": pa.array([{"a": [1, 2]}, None], pa.struct([("a", pa.list_(pa.int16()))])),
            "word": pa.array(["x", "y"]).dictionary_encode(),
        }
    ).replace_schema_metadata({"who": "desk one"})
    source = tmp_path / "cases.parquet"
    pq.write_table(table, source, compression="zstd")
    made = pq.read_table(enriched(workspace, source).output)
    assert made.select(table.column_names).equals(table)
    assert made.schema.metadata[b"who"] == b"desk one"
    assert str(made.schema.field("dejafake_matches").type) == "int64"
    assert made["dejafake_matches"].to_pylist() == [1, None]
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_pdq_hash_alone_finds_its_picture_even_without_its_leading_zeros(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "shared.jpg").write_bytes(recompressed(3))
    with Image.open(tmp_path / "shared.jpg") as picture:
        pdq = pdq_hash(picture.convert("RGB")).hex
    source = as_csv(tmp_path, [{"pdq_hash": pdq}, {"pdq_hash": "00" + pdq[2:]}, {"pdq_hash": pdq[2:]}])
    exact, zeros, dropped = read_csv(enriched(workspace, source).output)
    assert exact["dejafake_match_sha256"] == sha256_hex(png(3))
    assert (zeros["dejafake_pdq"], zeros["dejafake_outcome"]) == (dropped["dejafake_pdq"], dropped["dejafake_outcome"])


def test_a_picture_that_is_not_the_one_the_row_names_is_an_error(
    workspace: Workspace, rows: Rows, tmp_path: Path
) -> None:
    source = as_csv(tmp_path, [{"path": "pics/same.png", "sha256": sha256_hex(png(1))}])
    (row,) = read_csv(enriched(workspace, source).output)
    assert "not the one the row gives" in row["dejafake_error"]


def test_no_symbolic_link_leads_out_of_the_folder(workspace: Workspace, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.png").write_bytes(png(0))
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    (row,) = read_csv(enriched(workspace, as_csv(inside, [{"path": "link.png"}])).output)
    assert "leads out" in row["dejafake_error"]


def test_a_given_mapping_replaces_the_guess(workspace: Workspace, rows: Rows, tmp_path: Path) -> None:
    source = as_csv(tmp_path, [{"path": "pics/broken.png", "digest": f"SHA-256:{sha256_hex(png(0))}"}])
    (row,) = read_csv(enriched(workspace, source, sha256="Digest").output)
    assert row["dejafake_outcome"] == "known_fake_match"


@pytest.mark.parametrize("write", [as_csv, as_json_lines, as_parquet])
def test_a_clash_of_names_is_refused_before_anything_is_written(
    workspace: Workspace, rows: Rows, tmp_path: Path, write: Callable[..., Path]
) -> None:
    if write is as_json_lines:
        rows.append({"Dejafake_Outcome": None})  # only a later line has it
    else:
        rows = [row | {"Dejafake_Outcome": ""} for row in rows]
    source = write(tmp_path, rows)
    with pytest.raises(UsageError, match=r"Dejafake_Outcome.*another --prefix"):
        enriched(workspace, source)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source.name, "pics"])
    assert enriched(workspace, source, "seen_").output.exists()


def test_a_row_wider_than_the_header_costs_only_itself(workspace: Workspace, tmp_path: Path) -> None:
    digest = sha256_hex(png(0))
    source = tmp_path / "cases.csv"
    source.write_text(f"sha256,note\n{digest},b\n{digest},one, two, 3\n{digest},b,,\n", encoding="utf-8")
    report = enriched(workspace, source)
    with report.output.open(newline="", encoding="utf-8") as file:
        header, first, wide, trailing = csv.reader(file)
    outcome, error = header.index("dejafake_outcome"), header.index("dejafake_error")
    assert (first[outcome], first[error]) == (trailing[outcome], trailing[error]) == ("known_fake_match", "")
    assert (wide[:2], wide[len(header) :]) == ([digest, "one"], [" two", " 3"]), "nothing of it is lost"
    assert (wide[outcome], wide[error]) == ("", "it has 4 cells, the header 2; quote cells with commas")
    assert [one["location"] for one in read_json_lines(report.rejected_file or source)] == ["row 3"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_line_that_is_too_long_costs_only_itself(
    workspace: Workspace, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 5_000)
    digest, long = sha256_hex(png(0)), "x" * 80_000
    source = tmp_path / f"cases.{kind}"
    if kind == "csv":
        source.write_text(f"sha256,note\n{digest},a\n{digest},{long}\n{digest},b\n", encoding="utf-8")
    else:
        rows = [{"sha256": digest, "note": note} for note in ("a", long, "b")]
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = enriched(workspace, source)
    before, cut, after = read_csv(report.output) if kind == "csv" else read_json_lines(report.output)
    assert before["dejafake_outcome"] == after["dejafake_outcome"] == "known_fake_match"
    assert (before["note"], after["note"]) == ("a", "b")
    assert "longer than" in cut["dejafake_error"]
    assert report.outcomes == {"error": 1, "known_fake_match": 2}


@pytest.mark.parametrize(
    ("output", "words"),
    [("out.jsonl", r"end in \.csv"), ("cases.csv", "not overwritten"), ("nowhere/out.csv", "no folder")],
)
def test_an_output_that_cannot_be_is_refused(
    workspace: Workspace, rows: Rows, tmp_path: Path, output: str, words: str
) -> None:
    source = as_csv(tmp_path, rows)
    found = open_input(source, {}, ImageLimits.from_settings(workspace.settings))
    with pytest.raises(UsageError, match=words):
        Enrichment(workspace, found, tmp_path / output)


def test_without_a_column_to_ask_with_the_columns_are_named(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"found: title, url.*--map path=COLUMN"):
        enriched(workspace, as_csv(tmp_path, [{"title": "a", "url": "https://example.org"}]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r"])
def test_odd_tables_are_written_again_as_they_were(
    encoding: str, end: str, workspace: Workspace, tmp_path: Path
) -> None:
    digest = sha256_hex(png(0))
    lines = ["sep=;", "sha256;note;note", f"{digest};{'é' * 140_000};", f'{digest};"never closed', f'{digest};"x"', ""]
    source = tmp_path / "cases.csv"
    source.write_bytes(end.join(lines).encode(encoding))
    report = enriched(workspace, source)
    assert dict(report.outcomes) == {"known_fake_match": 2, "error": 1}
    written = report.output.read_bytes().decode(encoding).split(end)
    assert written[0] == "sep=;"
    assert written[1].startswith('sha256;note;note;"dejafake_outcome"')
    assert written[2].startswith(lines[2] + ';"known_fake_match"')
    assert f'"{digest}";"never closed";"";' in written[3]
    assert "never closed; repair that line" in written[3]
    assert written[4].startswith(f'{digest};"x";;"known_fake_match"')
