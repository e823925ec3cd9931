"""The demo collection: the same everywhere, in the words of the catalogue, and honest about being made up."""

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from indexer.demo.collection import DemoCollection, count_pictures, make_collection
from indexer.demo.fakes import FAKES, Fake
from indexer.demo.photographs import PHOTOGRAPHS
from indexer.demo.sightings import MADE_UP
from indexer.imaging.hashing import hamming, pdq_hash
from indexer.vocabulary import LabelValue, Technique

FEW = (FAKES[0], FAKES[5], FAKES[10], FAKES[12], FAKES[15])
"""One fake of each idea."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DemoCollection:
    return make_collection(tmp_path_factory.mktemp("demo") / "collection", FEW)


def rows_of(collection: DemoCollection) -> list[dict[str, str]]:
    with collection.manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_runs_make_the_same_bytes(made: DemoCollection, tmp_path: Path) -> None:
    again = make_collection(tmp_path, FEW)

    assert digests(made.manifest.parent) == digests(again.manifest.parent)


def test_every_row_is_a_picture_that_is_there_and_no_two_are_the_same_file(made: DemoCollection) -> None:
    rows = rows_of(made)
    shas = {hashlib.sha256((made.manifest.parent / row["path"]).read_bytes()).hexdigest() for row in rows}

    assert len(shas) == len(rows) == made.pictures == count_pictures(FEW)
    for row in rows:
        with Image.open(made.manifest.parent / row["path"]) as picture:
            picture.load()


def test_labels_and_techniques_are_of_the_vocabulary(made: DemoCollection) -> None:
    rows = rows_of(made)

    assert {row["label"] for row in rows} == {LabelValue.FAKE, LabelValue.AUTHENTIC, ""}
    assert {row["technique"] for row in rows if row["label"] == LabelValue.FAKE} == {
        Technique.SPLICE,
        Technique.INPAINTING,
        Technique.FACE_ATTRIBUTE_EDIT,
        Technique.IMAGE_TO_IMAGE,
        Technique.STYLE_TRANSFER,
    }
    assert {row["technique"] for row in rows if row["label"] != LabelValue.FAKE} == {""}


def test_every_sighting_says_that_it_is_made_up(made: DemoCollection) -> None:
    seen = [row for row in rows_of(made) if row["url"]]

    assert len(seen) > len(FEW)
    for row in seen:
        assert row["caption"].startswith(MADE_UP)
        assert row["claim"].startswith(MADE_UP)
        assert row["platform"].startswith("example-")
        assert row["account"].startswith("made-up-")
        assert row["url"].split("/")[2].endswith(".example.org")
        assert row["archive_url"].split("/")[2].endswith(".example.org")


def test_authentic_photographs_are_the_bytes_the_wheels_carry(made: DemoCollection) -> None:
    untouched = [row for row in rows_of(made) if row["label"] == LabelValue.AUTHENTIC and not row["alteration"]]

    assert untouched
    for row in untouched:
        assert (made.manifest.parent / row["path"]).read_bytes() == PHOTOGRAPHS[row["made_from"]].read()


def test_queries_are_not_in_the_collection(made: DemoCollection) -> None:
    pictures = {path.read_bytes() for path in (made.manifest.parent / "pictures").iterdir()}

    assert len(made.queries) >= 5
    assert not [query.path for query in made.queries if query.path.read_bytes() in pictures]


def test_credits_name_every_photograph_and_its_licence(made: DemoCollection) -> None:
    readme = (made.manifest.parent / "README.md").read_text(encoding="utf-8")

    for photograph in PHOTOGRAPHS.values():
        assert f"| {photograph.name} | {photograph.shows} | {photograph.credit} | {photograph.licence} |" in readme


@pytest.mark.parametrize("fake", FEW, ids=lambda fake: fake.name)
def test_a_fake_differs_visibly_from_its_photograph_and_keeps_its_size(fake: Fake) -> None:
    picture = fake.picture()
    photograph = PHOTOGRAPHS[fake.of[0]].rgb()
    difference = np.abs(np.asarray(picture, np.int16) - np.asarray(photograph, np.int16)).max(axis=2)

    assert picture.size == photograph.size
    assert (difference > 24).mean() > 0.005


def test_no_fake_passes_for_another_photograph_than_its_own() -> None:
    untouched = {name: pdq_hash(photograph.rgb()).bits for name, photograph in PHOTOGRAPHS.items()}

    for fake in FEW:
        bits = pdq_hash(fake.picture()).bits
        near = {name for name, other in untouched.items() if hamming(bits, other) <= 31}
        assert near <= set(fake.of)
