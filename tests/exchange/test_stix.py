"""STIX 2.1 bundles: valid by OASIS's validator, the same bytes on every run, and no conclusion nobody drew."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from stix2validator import ValidationOptions, validate_instance

from indexer.campaigns import decisions
from indexer.campaigns.decisions import Author
from indexer.catalog import Catalog
from indexer.catalog.campaigns import campaigns
from indexer.catalog.images import images, labels
from indexer.catalog.records.campaigns import CampaignMember, ClusteringRun, NewCampaign
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.labels import NewLabel
from indexer.errors import DejafakeError
from indexer.exchange import export_images
from indexer.exchange.stix.naming import as_uri
from indexer.sightings import NewSighting
from indexer.vocabulary import LabelSource, LabelValue
from tests.exchange.filled_catalogue import add_image, digest, pdq, seen_at

HOSTILE = '"}],</script>\u202e\u0000\ud800 =cmd'
STRANGE_URLS = (
    "https://social.example/ü b/[1]?q=é&r=%zz#ä ö",
    "https://bücher.example/1",
    "http://[2001:db8::1]:8080/x",
    "javascript:alert(1)",
)


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    """1 and 2 are a campaign of fakes; 3 is authentic, 4 disputed and never seen, 5 was described by a hostile list."""
    with Catalog.open(database_url) as opened:
        with opened.writing() as session:
            add_image(session, 1, embedded=True)
            add_image(session, 2)
            add_image(session, 3, said=LabelValue.AUTHENTIC)
            add_image(session, 4, seen=())
            add_image(session, 5, by=HOSTILE, seen=(*hostile_sightings(),))
        with opened.writing() as session:
            ids = images.find_ids(session, [digest(number) for number in (1, 2, 4)])
            labels.state(session, ids[digest(4)], [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "desk two")])
            members = [(ids[digest(n)], CampaignMember(digest(n), 0.9, n == 1, ())) for n in (1, 2)]
            now = datetime(2026, 11, 24, tzinfo=UTC)
            run = ClusteringRun("f" * 64, {}, "snapshot", 2, 1, 0, now, now)
            campaigns.save(session, run, [NewCampaign("cmp_0123456789", "Campaign of 2 images", 0.9, members)])
        yield opened


def hostile_sightings() -> Iterator[NewSighting]:
    for number, url in enumerate(STRANGE_URLS):
        posted = datetime(1 if number else 9999, 12, 31, tzinfo=UTC)
        yield seen_at(number, url=url, platform=HOSTILE[:20], account=HOSTILE, caption=HOSTILE, posted_at=posted)


def written(catalog: Catalog, wanted: ImageFilter | None = None) -> str:
    stream = io.StringIO(newline="")
    export_images(catalog, wanted or ImageFilter(), "stix", stream)
    return stream.getvalue()


def objects(text: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(text)["objects"]:
        found.setdefault(one["type"], []).append(one)
    return found


def problems(text: str) -> list[str]:
    result = validate_instance(json.loads(text), ValidationOptions(version="2.1"))
    return [str(error) for error in result.errors]


def test_the_validator_of_the_standard_finds_nothing_wrong(catalog: Catalog) -> None:
    assert problems(written(catalog)) == []


def test_the_validator_is_really_asked(catalog: Catalog) -> None:
    assert problems(written(catalog).replace('"grouping--', '"group--'))


def test_an_empty_bundle_is_valid_too(tmp_path: Path) -> None:
    with Catalog.open(f"sqlite:///{tmp_path / 'empty.sqlite'}") as empty:
        assert problems(written(empty)) == []


def test_two_runs_give_the_same_bytes_and_every_object_stands_once(catalog: Catalog) -> None:
    text = written(catalog)
    assert written(catalog) == text
    ids = [one["id"] for one in json.loads(text)["objects"]]
    assert len(ids) == len(set(ids))
    assert written(catalog, ImageFilter(label=LabelValue.AUTHENTIC)) != text


def test_a_picture_is_a_file_with_the_id_everybody_derives_and_an_artifact_that_carries_its_pdq(
    catalog: Catalog,
) -> None:
    found = objects(written(catalog))
    files = {one["hashes"]["SHA-256"]: one for one in found["file"]}
    assert set(files) == {digest(number) for number in (1, 2, 3, 4, 5)}
    artifacts = {one["id"]: one for one in found["artifact"]}
    artifact = artifacts[files[digest(1)]["content_ref"]]
    assert artifact["url"] == "https://social.example/1"
    (extension,) = found["extension-definition"]
    assert artifact["extensions"][extension["id"]] == {
        "extension_type": "property-extension",
        "pdq": pdq(1).hex(),
        "pdq_quality": 90,
        "pdq_method": "reference",
    }
    assert "content_ref" not in files[digest(4)], "an image that was seen nowhere has no address"
    assert "extensions" not in files[digest(1)], "its id would not be that of the same file elsewhere"


def test_each_sighting_is_observed_data_with_its_places(catalog: Catalog) -> None:
    found = objects(written(catalog, ImageFilter(label=LabelValue.AUTHENTIC)))
    (observed,) = found["observed-data"]
    assert observed["first_observed"] == observed["last_observed"] == "2026-03-04T12:30:00Z"
    named = {one["id"]: one for kind in ("url", "user-account", "file") for one in found[kind]}
    values = {named[ref].get("value") or named[ref].get("account_login") for ref in observed["object_refs"]}
    assert values == {"https://social.example/3", "https://archive.example/3", "account 3", None}


def test_a_campaign_that_an_analyst_confirmed_is_a_campaign_beside_its_grouping(catalog: Catalog) -> None:
    with catalog.writing() as session:
        made = decisions.confirm(session, "cmp_0123456789", Author("Ana Example", HOSTILE))
    text = written(catalog)
    assert problems(text) == []
    assert written(catalog) == text
    found = objects(text)
    (campaign,), (group,) = found["campaign"], found["grouping"]
    assert campaign["external_references"] == [{"source_name": "dejafake", "external_id": "cmp_0123456789"}]
    assert campaign["description"].startswith("Concluded by Ana Example: ")
    assert campaign["id"] in group["object_refs"]
    assert "confirmed by nobody" not in group["description"]
    with catalog.writing() as session:
        decisions.undo(session, made.id, Author("Ana Example"))
    assert "campaign" not in objects(written(catalog))


def test_a_group_nobody_confirmed_is_a_grouping_and_never_a_campaign(catalog: Catalog) -> None:
    found = objects(written(catalog))
    assert not {"campaign", "threat-actor", "intrusion-set", "indicator"} & set(found)
    (group,) = found["grouping"]
    assert group["external_references"] == [{"source_name": "dejafake", "external_id": "cmp_0123456789"}]
    assert "not proof of common authorship" in group["description"]
    files = {one["id"]: one["hashes"]["SHA-256"] for one in found["file"]}
    assert {files[ref] for ref in group["object_refs"] if ref in files} == {digest(1), digest(2)}


def test_a_note_says_who_labelled_it_and_that_a_score_is_no_proof(catalog: Catalog) -> None:
    notes = {one["abstract"].split()[1].rstrip(":"): one for one in objects(written(catalog))["note"]}
    note = notes[digest(1)[:16]]
    assert note["authors"] == ["desk one"]
    assert "desk one (human) stated fake, technique face_swap, generator generator one: reason 1" in note["content"]
    assert pdq(1).hex() in note["content"]
    assert "p(fake) 0.125000" in note["content"]
    assert "a signal, not proof" in note["content"]
    assert notes[digest(4)[:16]]["abstract"].endswith("disputed: its labels disagree")


def test_a_technique_refers_to_disarm_by_number_for_known_fakes_only(catalog: Catalog) -> None:
    found = objects(written(catalog))
    (pattern,) = found["attack-pattern"]
    assert pattern["external_references"] == [{"source_name": "DISARM", "external_id": "T0086.002"}]
    noted = [one for one in found["note"] if pattern["id"] in one["object_refs"]]
    assert len(noted) == 3, "1, 2 and 5 are fakes; 3 is authentic, 4 is disputed"


def test_the_report_covers_everything(catalog: Catalog) -> None:
    text = written(catalog)
    (report,) = objects(text)["report"]
    others = {one["id"] for one in json.loads(text)["objects"]} - {report["id"]}
    assert set(report["object_refs"]) == others


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        (STRANGE_URLS[0], "https://social.example/%C3%BC%20b/%5B1%5D?q=%C3%A9&r=%25zz#%C3%A4%20%C3%B6"),
        (STRANGE_URLS[1], "https://xn--bcher-kva.example/1"),
        (STRANGE_URLS[2], "http://[2001:db8::1]:8080/x"),
        (STRANGE_URLS[3], None),
        ("https://a b.example/", None),
        ("https://" + "ü" * 80 + ".example/", None),
        (None, None),
    ],
)
def test_an_address_becomes_a_uri_or_nothing(text: str | None, uri: str | None) -> None:
    assert as_uri(text) == uri


def test_without_the_optional_part_one_line_says_how_to_get_it(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "indexer.exchange.stix.writing", None)
    with pytest.raises(DejafakeError, match=r"pip install 'dejafake\[exchange\]'"):
        written(catalog)
