"""Manifests of every kind say the same things; a bad row is named with its column and the rest goes on."""

import csv
import hashlib
import json
import os
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.errors import ImageRejectedError, SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sightings import NewSighting
from indexer.sources import SourceItem, SourceRejection, open_source
from indexer.vocabulary import LabelValue, Technique

ROWS: list[dict[str, Any]] = [
    {
        "path": "pictures/a.png",
        "label": "Fake",
        "technique": "Face Swap",
        "generator": "DeepFaceLab",
        "reason": 'debunked, "twice"',
        "url": "https://example.org/p/1?a=b",
        "archive_url": "https://archive.example/1",
        "platform": "X",
        "account": "@somebody",
        "posted_at": "2026-03-04T23:30:00-02:00",
        "caption": "Zwei\nZeilen",
        "language": "de",
        "claim": "It happened.",
        "collection": "elections; faces",
        "licence": "none stated",
        "score": "7",
    },
    {"path": "pictures/b.png", "label": "real"},
    {"path": "pictures/b.png", "label": "unknown"},
]


@pytest.fixture
def folder(plant: Callable[..., Path]) -> Path:
    return plant("pictures/a.png", "pictures/b.png", folder="case")


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """`rows` as a manifest in the format of the name."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, columns, delimiter="," if path.suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        pq.write_table(pa.table({key: [row.get(key) for row in rows] for key in columns}), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.jsonl", "m.ndjson", "m.parquet", "M.CSV"])
def test_every_format_says_the_same(
    name: str, folder: Path, limits: ImageLimits, photo: Callable[..., bytes], apart: Any
) -> None:
    path = write(folder / name.lower(), ROWS).rename(folder / name)
    source = open_source(path, limits)
    items, rejections = apart(source)
    assert rejections == []
    assert source.count() == 3
    first, second, third = items
    assert first.read() == photo(0)
    assert second.read() == third.read() == photo(1)
    assert (first.source, first.location) == (name, "pictures/a.png")
    assert (first.value, first.technique, first.generator) == (LabelValue.FAKE, Technique.FACE_SWAP, "DeepFaceLab")
    assert first.label_reason == 'debunked, "twice"'
    assert first.sighting == NewSighting(
        url="https://example.org/p/1?a=b",
        archive_url="https://archive.example/1",
        platform="X",
        account="@somebody",
        posted_at=datetime(2026, 3, 5, 1, 30, tzinfo=UTC),
        caption="Zwei\nZeilen",
        language="de",
        claim="It happened.",
    )
    assert first.collections == ("elections", "faces")
    assert first.fields == {"licence": "none stated", "score": "7"}
    assert (second.value, third.value) == (LabelValue.AUTHENTIC, LabelValue.UNKNOWN)
    assert second.sighting is None
    assert second.fields == {}
    assert second.technique is Technique.UNKNOWN


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("path", "", "empty; it must name a picture file"),
        ("path", "../secret.png", "is not a path inside"),
        ("path", "/etc/passwd", "is not a path inside"),
        ("path", "C:\\secret.png", "is not a path inside"),
        ("path", "\\\\host\\share\\a.png", "is not a path inside"),
        ("path", "pictures\\..\\..\\a.png", "is not a path inside"),
        ("path", "x" * 1_001, "longer than the 1,000 characters"),
        ("path", "x" * 65_537, "longer than the 1,000 characters"),
    ],
)
@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
def test_a_bad_row_is_named_with_its_column_and_the_rest_goes_on(
    name: str, column: str, cell: str, says: str, folder: Path, limits: ImageLimits
) -> None:
    bad, good = {column: cell}, {"path": "pictures/b.png"}
    source = open_source(write(folder / name, [good, bad, good]), limits)
    before, rejection, after = source
    assert isinstance(before, SourceItem)
    assert isinstance(after, SourceItem)
    assert isinstance(rejection, SourceRejection)
    number = {"m.csv": 3, "m.jsonl": 3, "m.parquet": 2}[name]
    assert (rejection.source, rejection.location, rejection.reason) == (name, f"row {number}", "bad_row")
    assert rejection.message.startswith(f"row {number}: column {column}: ")
    assert says in rejection.message
    assert "\n" not in rejection.message
    assert len(rejection.message) < 400
    assert source.count() == 3


@pytest.mark.parametrize(
    ("column", "cell", "kind"),
    [
        ("technique", "magic", "technique_not_known"),
        ("sha256", "abc", "sha256_not_read"),
        ("sha256", "g" * 64, "sha256_not_read"),
        ("sha256", "sha1:" + "a" * 40, "sha256_not_read"),
        ("url", "javascript:alert(1)", "address_not_read"),
        ("url", "example.org/p/1", "address_not_read"),
        ("url", "https://example.org/" + "a" * 20_000, "address_not_read"),
        ("archive_url", "http://[", "address_not_read"),
        ("archive_url", "http://example.org:99999999/", None),
        ("platform", "x" * 201, "name_too_long"),
        ("generator", "x" * 65_537, "name_too_long"),
        ("collection", "x" * 201, "name_too_long"),
        ("posted_at", "x" * 70_000, "time_not_read"),
        ("label", "x" * 70_000, "text_cut"),
        ("language", "klingon " * 40, None),
        ("account", "\x1b[31m@a\nb", None),
    ],
)
@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
def test_no_odd_value_beside_the_path_costs_the_picture(
    name: str, column: str, cell: str, kind: str | None, folder: Path, limits: ImageLimits
) -> None:
    row = {"path": "pictures/a.png", "claim": "It happened.", column: cell}
    (item,) = open_source(write(folder / name, [row]), limits)
    assert isinstance(item, SourceItem)
    assert item.read()
    assert item.sighting is not None
    assert item.sighting.claim == "It happened."
    kinds = {remark.kind for remark in item.remarks}
    if kind is None:
        assert not kinds
        return
    assert kind in kinds
    assert item.fields[column] == cell[:65_536]
    assert all(len(remark.message) < 500 and remark.message.isprintable() for remark in item.remarks)
    assert (item.technique, item.expected_sha256, item.sighting.url) == (Technique.UNKNOWN, None, None)


def test_of_several_collections_only_the_one_with_too_long_a_name_is_left_out(
    folder: Path, limits: ImageLimits
) -> None:
    rows = [{"path": "pictures/a.png", "collection": f"faces; {'x' * 201}; faces;;war"}]
    (item,) = open_source(write(folder / "m.csv", rows), limits)
    assert item.collections == ("faces", "war")
    assert [remark.kind for remark in item.remarks] == ["name_too_long"]


@pytest.mark.parametrize("word", ["face_swap", "Face Swap", "FACE-SWAP", "faceswap"])
def test_a_technique_is_known_in_any_spelling(word: str, folder: Path, limits: ImageLimits) -> None:
    (item,) = open_source(write(folder / "m.csv", [{"path": "pictures/a.png", "technique": word}]), limits)
    assert (item.technique, item.unknown_technique, item.fields) == (Technique.FACE_SWAP, None, {})


@pytest.mark.parametrize(
    ("word", "value"),
    [("fake", "fake"), ("AI-generated", "fake"), ("1_fake", "fake"), ("REAL", "authentic"), ("0_real", "authentic")],
)
def test_label_words_of_the_field_are_understood(word: object, value: str, folder: Path, limits: ImageLimits) -> None:
    (item,) = open_source(write(folder / "m.jsonl", [{"file_name": "pictures/a.png", "label": word}]), limits)
    assert item.value == value


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21 10:00", datetime(2026, 11, 21, 10, tzinfo=UTC)),
    ],
)
def test_dates_become_utc(text: str, moment: datetime, folder: Path, limits: ImageLimits) -> None:
    rows = [{"image": "pictures/a.png", "date": text}]
    (item,) = open_source(write(folder / "m.csv", rows), limits)
    assert item.sighting.posted_at == moment
    stamps = pa.table({"path": ["pictures/a.png"], "date": pa.array([moment], pa.timestamp("us", "UTC"))})
    pq.write_table(stamps, folder / "m.parquet")
    (item,) = open_source(folder / "m.parquet", limits)
    assert item.sighting.posted_at == moment


def test_the_expected_digest_is_handed_on(folder: Path, limits: ImageLimits, photo: Callable[..., bytes]) -> None:
    digest = hashlib.sha256(photo(0)).hexdigest()
    rows = [{"path": "pictures/a.png", "sha256": digest.upper()}, {"path": "pictures/b.png", "sha256": digest}]
    right, wrong = open_source(write(folder / "m.csv", rows), limits)
    assert right.expected_sha256 == wrong.expected_sha256 == digest
    assert hashlib.sha256(right.read()).hexdigest() == digest
    assert hashlib.sha256(wrong.read()).hexdigest() != digest


def test_files_that_are_missing_or_lead_out_are_refused_when_read(
    folder: Path, limits: ImageLimits, tmp_path: Path, photo: Callable[..., bytes]
) -> None:
    (tmp_path / "secret.png").write_bytes(photo(3))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "out").symlink_to(tmp_path)
    (folder / "inside.png").symlink_to(folder / "pictures" / "a.png")
    (folder / "loop.png").symlink_to("loop.png")
    os.mkfifo(folder / "pipe.png")
    names = ["link.png", "out/secret.png", "inside.png", "missing.png", "pictures", "loop.png", "pipe.png", "x" * 999]
    reasons = []
    for item in open_source(write(folder / "m.csv", [{"path": name} for name in names]), limits):
        try:
            item.read()
            reasons.append("read")
        except ImageRejectedError as error:
            reasons.append(error.reason)
    assert reasons == ["outside_folder", "outside_folder", "read", *["unreadable"] * 5]


def test_windows_separators_and_semicolons_are_understood(folder: Path, limits: ImageLimits) -> None:
    (folder / "m.csv").write_text("File;Label;Caption\r\npictures\\a.png;Fake;one, two\r\n", encoding="utf-8")
    (item,) = open_source(folder / "m.csv", limits)
    assert (item.location, item.value, item.sighting.caption) == ("pictures/a.png", LabelValue.FAKE, "one, two")


def test_columns_can_be_mapped_by_hand(folder: Path, limits: ImageLimits) -> None:
    path = write(folder / "m.csv", [{"bild": "pictures/a.png", "Art": "fake", "label": "7", "caption": "c"}])
    (item,) = open_source(path, limits, {"path": "bild", "label": "art"})
    assert (item.location, item.value) == ("pictures/a.png", LabelValue.FAKE)
    assert item.fields == {"label": "7"}
    with pytest.raises(SourceError, match="no column 'bilder'; found: bild, Art, label, caption"):
        open_source(path, limits, {"path": "bilder"})
    with pytest.raises(SourceError, match="no field 'pfad'"):
        open_source(path, limits, {"pfad": "bild"})


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
def test_a_missing_column_is_named_with_those_that_are_there(name: str, folder: Path, limits: ImageLimits) -> None:
    with pytest.raises(SourceError, match=r"expected one of path, file, .*found: id, label; .*--map path=COLUMN"):
        open_source(write(folder / name, [{"id": "1", "label": "fake"}]), limits)


def test_later_json_lines_may_say_more_than_the_first(folder: Path, limits: ImageLimits) -> None:
    rows = [{"path": "pictures/a.png"}, {"path": "pictures/b.png", "date": "2026-01-02", "tags": ["a", {"b": 1}]}]
    _, item = open_source(write(folder / "m.jsonl", rows), limits)
    assert item.sighting.posted_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert item.fields == {"tags": '["a", {"b": 1}]'}


def test_each_json_line_is_read_by_the_columns_it_has(folder: Path, limits: ImageLimits) -> None:
    rows = [
        {"path": "pictures/a.png", "label": "real", "date": "2026-01-02"},
        {"file": "pictures/b.png", "is_fake": 1, "posted_at": "2026-01-03", "Label": None},
        {"IMAGE": "pictures/a.png", "Label": "fake", "is_fake": 0, "DATE": "2026-01-04"},
        {"filename": "pictures/b.png", "label": "", "is_real": True},
    ]
    items = list(open_source(write(folder / "m.jsonl", rows), limits))
    assert [item.location for item in items] == ["pictures/a.png", "pictures/b.png"] * 2
    assert [item.value for item in items] == ["authentic", "fake", "fake", "authentic"]
    assert [item.sighting and item.sighting.posted_at.day for item in items] == [2, 3, 4, None]
    assert [dict(item.fields) for item in items] == [{}, {"is_fake": "1"}, {"is_fake": "0"}, {"is_real": "true"}]


def test_a_first_json_line_that_is_no_row_does_not_decide_for_the_file(folder: Path, limits: ImageLimits) -> None:
    rows = [{"dataset": "made up", "version": 2}, {"path": "pictures/a.png", "verdict": "fake"}]
    path = write(folder / "m.jsonl", rows)
    rejection, item = open_source(path, limits)
    assert isinstance(rejection, SourceRejection)
    assert "must name a picture file" in rejection.message
    assert (item.location, item.value) == ("pictures/a.png", None)
    _, mapped = open_source(path, limits, {"label": "verdict"})
    assert mapped.value is LabelValue.FAKE


def test_a_second_column_of_a_field_fills_in_where_the_first_is_empty(folder: Path, limits: ImageLimits) -> None:
    rows = [
        {"path": "pictures/a.png", "label": "real", "is_fake": "1"},
        {"path": "pictures/b.png", "label": "", "is_fake": "1"},
    ]
    both, one = open_source(write(folder / "m.csv", rows), limits)
    assert (both.value, both.fields) == (LabelValue.AUTHENTIC, {"is_fake": "1"})
    assert (one.value, one.fields) == (LabelValue.FAKE, {"is_fake": "1"})
    by_hand, _ = open_source(folder / "m.csv", limits, {"label": "is_fake"})
    assert by_hand.value is LabelValue.FAKE


def test_broken_json_lines_are_rejections(folder: Path, limits: ImageLimits, apart: Any) -> None:
    lines = ['{"path": "pictures/a.png"}', "{broken", "[1]", "[" * 100_000, '{"path": "pictures/b.png"}']
    (folder / "m.jsonl").write_text("\n".join(lines), encoding="utf-8")
    items, rejections = apart(open_source(folder / "m.jsonl", limits))
    assert len(items) == 2
    assert [r.location for r in rejections] == ["row 2", "row 3", "row 4"]


def test_text_no_database_stores_is_replaced(folder: Path, limits: ImageLimits) -> None:
    (folder / "m.jsonl").write_text('{"path": "pictures/a.png", "caption": "a\\u0000b\\ud800c"}', encoding="utf-8")
    (item,) = open_source(folder / "m.jsonl", limits)
    assert item.sighting.caption == "a\ufffdb?c"


def test_a_row_with_too_many_cells_is_a_rejection(folder: Path, limits: ImageLimits) -> None:
    (folder / "m.csv").write_text("path,caption\npictures/a.png,one, two\npictures/b.png\n", encoding="utf-8")
    rejection, item = open_source(folder / "m.csv", limits)
    assert rejection.message.startswith("row 2: it has 3 cells, the header 2")
    assert item.location == "pictures/b.png"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("m.csv", b"", "is empty"),
        ("m.csv", b"path,label\n", "has no rows"),
        ("m.csv", b"path,path\na.png,b.png\n", "names the column path twice"),
        ("m.csv", "path\nbücher.png\n".encode("latin-1"), "is not UTF-8 at line 2"),
        ("m.csv", "path\na.png\n".encode("utf-16")[:-1], "is not UTF-16 at line 2"),
        ("m.csv", b"path," + b"c," * 100_000 + b"\na.png\n", "has 100,002 columns; at most 20,000"),
        ("m.csv", b'"path\na.png\n', "has no readable header"),
        ("m.jsonl", b"", "no line with a JSON object"),
        ("m.jsonl", b"\xff\xfe{}\n", "is not UTF-16 at line 1"),
        ("m.parquet", b"", "not readable as Parquet"),
        ("m.parquet", b"PAR1 nonsense PAR1", "not readable as Parquet"),
    ],
)
def test_a_manifest_that_cannot_be_read_says_why(
    name: str, content: bytes, says: str, folder: Path, limits: ImageLimits
) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(SourceError, match=says) as refused:
        open_source(folder / name, limits)
    assert "\n" not in str(refused.value)


def test_what_came_before_an_unreadable_line_is_kept(folder: Path, limits: ImageLimits) -> None:
    (folder / "m.csv").write_bytes(b"path\npictures/a.png\n\xff\npictures/b.png\n")
    found = iter(open_source(folder / "m.csv", limits))
    assert next(found).location == "pictures/a.png"
    with pytest.raises(SourceError, match="at line 3"):
        next(found)


def test_a_long_manifest_streams_in_flat_memory(folder: Path, limits: ImageLimits) -> None:
    with (folder / "m.csv").open("w", encoding="utf-8") as file:
        file.write("path,label,caption\n")
        file.writelines(f"pictures/{number}.png,fake,caption {number}\n" for number in range(3_000))
    source = open_source(folder / "m.csv", limits)
    tracemalloc.start()
    try:
        assert sum(1 for _ in source) == 3_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_the_corpus_manifest_is_read_whole(limits: ImageLimits, apart: Any) -> None:
    corpus = Path(os.environ.get("DEJAFAKE_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
    if not (corpus / "manifest.csv").is_file():
        pytest.skip("no corpus: set DEJAFAKE_CORPUS to its folder")
    source = open_source(corpus / "manifest.csv", ImageLimits(2**26, 10**8, 2_000))
    items, rejections = apart(source)
    assert rejections == []
    assert len(items) == source.count() == 669
    assert sum(item.value is LabelValue.FAKE for item in items) == 449
    assert sum(item.value is LabelValue.AUTHENTIC for item in items) == 220
    assert set(items[0].fields) == {"group", "width", "height", "origin", "licence"}
    for item in items[::60]:
        assert hashlib.sha256(item.read()).hexdigest() == item.expected_sha256
