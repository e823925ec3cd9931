"""MISP events: valid by pymisp's own schema and templates, the same bytes on every run, nothing for detection rules."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pymisp
import pytest
from pymisp import MISPEvent, MISPObject

from indexer.catalog import Catalog
from indexer.catalog.records.filters import ImageFilter
from indexer.errors import DejafakeError
from indexer.exchange import export_images
from indexer.vocabulary import LabelValue
from tests.exchange.filled_catalogue import add_image, digest, pdq, seen_at

HOSTILE = '"}],</script>\u202e\u0000 =cmd'
SCHEMA = json.loads((Path(pymisp.__file__).parent / "data" / "schema-lax.json").read_text())
"""The stricter schema beside it is of a time before MISP had objects; the templates say what those may hold."""


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    """1 is a fake seen once; 2 is not labelled and seen nowhere; 3 was described by a hostile list."""
    hostile = seen_at(
        3, url="javascript:alert(1)", archive_url=None, platform=HOSTILE, account=HOSTILE, caption=HOSTILE
    )
    with Catalog.open(database_url) as opened:
        with opened.writing() as session:
            add_image(session, 1, embedded=True)
            add_image(session, 2, said=None, seen=())
            add_image(session, 3, said=LabelValue.AUTHENTIC, by=HOSTILE, seen=(hostile, seen_at(3, caption=None)))
        yield opened


def written(catalog: Catalog) -> str:
    stream = io.StringIO(newline="")
    export_images(catalog, ImageFilter(), "misp", stream)
    return stream.getvalue()


def objects(text: str, kind: str) -> list[dict[str, Any]]:
    """The objects of a kind, each by relation."""
    return [
        {attribute["object_relation"]: attribute for attribute in one["Attribute"]} | {"uuid": one["uuid"]}
        for one in json.loads(text)["Event"]["Object"]
        if one["name"] == kind
    ]


def test_the_event_is_valid_by_misps_schema_and_templates(catalog: Catalog) -> None:
    document = json.loads(written(catalog))
    jsonschema.validate(document, SCHEMA)
    event = MISPEvent()
    event.load(written(catalog))
    assert len(event.objects) == 3 + 3 + 3
    for one in document["Event"]["Object"]:
        template = MISPObject(one["name"], strict=True)
        for attribute in one["Attribute"]:
            template.add_attribute(attribute["object_relation"], value=attribute["value"])
        template.to_json(strict=True)  # raises where a template's required attributes are missing


def test_two_runs_give_the_same_bytes_and_every_id_stands_once(catalog: Catalog) -> None:
    text = written(catalog)
    assert written(catalog) == text
    event = json.loads(text)["Event"]
    ids = [
        one["uuid"] for made in event["Object"] for one in (made, *made["Attribute"], *made.get("ObjectReference", ()))
    ]
    assert len(ids) == len(set(ids))
    assert event["uuid"] not in ids


def test_an_image_is_a_file_tagged_with_its_label_and_described_by_a_note(catalog: Catalog) -> None:
    text = written(catalog)
    files = {one["sha256"]["value"]: one for one in objects(text, "file")}
    assert set(files) == {digest(number) for number in (1, 2, 3)}
    assert {tag["name"] for tag in files[digest(1)]["sha256"]["Tag"]} == {
        'dejafake:label="fake"',
        'dejafake:technique="face_swap"',
    }
    assert "Tag" not in files[digest(2)]["sha256"], "nobody labelled it"
    note = next(one["text"]["value"] for one in objects(text, "annotation") if pdq(1).hex() in one["text"]["value"])
    assert "desk one (human) stated fake" in note
    assert "a signal, not proof" in note


def test_a_sighting_is_a_post_with_what_misp_has_a_place_for(catalog: Catalog) -> None:
    posts = objects(written(catalog), "microblog")
    one = next(post for post in posts if post.get("url", {}).get("value") == "https://social.example/1")
    said = {relation: one[relation]["value"] for relation in ("archive", "post", "type", "username", "language")}
    assert said == {
        "archive": "https://archive.example/1",
        "post": "caption 1",
        "type": "example-social",
        "username": "account 1",
        "language": "en",
    }
    assert one["creation-date"]["value"].startswith("2026-03-02T12:30:00")
    assert "javascript" not in json.dumps(posts)


def test_nothing_is_meant_for_detection_rules_and_the_importer_decides_who_sees_it(catalog: Catalog) -> None:
    event = json.loads(written(catalog))["Event"]
    assert not [one for made in event["Object"] for one in made["Attribute"] if one["to_ids"]]
    assert event["distribution"] == "0"


def test_an_empty_event_is_valid_too(tmp_path: Path) -> None:
    with Catalog.open(f"sqlite:///{tmp_path / 'empty.sqlite'}") as empty:
        jsonschema.validate(json.loads(written(empty)), SCHEMA)


def test_without_the_optional_part_one_line_says_how_to_get_it(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "indexer.exchange.misp", None)
    with pytest.raises(DejafakeError, match=r"pip install 'dejafake\[exchange\]'"):
        written(catalog)
