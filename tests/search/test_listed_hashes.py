"""Entries of hash lists in answers: found like known fakes, named with their list, gone with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog import hash_lists
from indexer.catalog.records.filters import ImageFilter
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.hashing import pdq_hash
from indexer.index import SearchIndex
from indexer.ingest.report import IngestOptions
from indexer.search.answers import SearchOptions
from indexer.settings import Settings
from indexer.sources import SourceItem
from indexer.verdict.limitations import LIMIT_LISTED
from indexer.vocabulary import Direction, EvidenceKind, HashAlgorithm, LabelSource, LabelValue, Outcome, Relation
from indexer.workspace import Workspace
from tests.made_pictures import png, recompressed, scene

KNOWN, UNKNOWN = 0, 1
"""Scenes: the first is in the catalogue, labelled authentic by a person; the other was never seen."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, untrained_detector: Path
) -> Iterator[Workspace]:
    url = request.getfixturevalue("module_postgresql_url") if request.param == "postgresql" else None
    home = tmp_path_factory.mktemp("home")
    settings = Settings.load(home=home, database_url=url, detector=str(untrained_detector), precision="fp32")
    with Workspace(settings) as workspace:
        said = IngestOptions(label=LabelValue.AUTHENTIC, stated_by="A. Diaz", source_kind=LabelSource.HUMAN)
        workspace.ingest(said).run([SourceItem("desk.csv", "0.png", lambda: png(KNOWN))])
        yield workspace


@pytest.fixture
def workspace(opened: Workspace) -> Iterator[Workspace]:
    """Without lists, before and after."""
    yield opened
    with opened.catalog.writing() as session:
        for one in hash_lists.all_lists(session):
            hash_lists.delete(session, one.name)


def put(workspace: Workspace, name: str, *entries: tuple[HashAlgorithm, bytes], label: LabelValue = LabelValue.FAKE):
    with workspace.catalog.writing() as session:
        hash_lists.add(session, name, label, entries)


def file_entry(number: int) -> tuple[HashAlgorithm, bytes]:
    return HashAlgorithm.SHA256, bytes.fromhex(sha256_hex(png(number)))


def picture_entry(number: int) -> tuple[HashAlgorithm, bytes]:
    return HashAlgorithm.PDQ, pdq_hash(scene(number)).bits


def flipped(entry: tuple[HashAlgorithm, bytes], bits: int) -> tuple[HashAlgorithm, bytes]:
    """A PDQ hash that differs in so many bits."""
    value = int.from_bytes(entry[1]) ^ ((1 << bits) - 1)
    return entry[0], value.to_bytes(32)


def test_a_listed_file_is_a_known_fake_although_no_picture_is_held(workspace: Workspace) -> None:
    put(workspace, "Exchange", file_entry(UNKNOWN))
    answer = workspace.searcher.by_bytes(png(UNKNOWN))
    assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
    assert "the hash list Exchange (no picture is held)" in answer.verdict.summary
    (found,) = answer.listed
    assert (found.relation, found.entry.source, found.entry.label) == (Relation.SAME_FILE, "Exchange", LabelValue.FAKE)
    evidence = next(one for one in answer.verdict.evidence if "Exchange" in one.statement)
    assert (evidence.kind, evidence.direction) == (EvidenceKind.CRYPTOGRAPHIC, Direction.SUPPORTS)
    assert evidence.statement == "Same bytes as an entry listed as fake by Exchange; no picture is held."
    assert LIMIT_LISTED in answer.verdict.limitations
    assert not [match for match in answer.matches if match.holds]


def test_a_re_shared_copy_of_a_listed_picture_is_found_by_pdq(workspace: Workspace) -> None:
    put(workspace, "Exchange", picture_entry(UNKNOWN))
    answer = workspace.searcher.by_bytes(recompressed(UNKNOWN))
    (found,) = answer.listed
    assert found.relation is Relation.SAME_PICTURE
    assert 0 <= found.score.value <= 31
    assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
    evidence = next(one for one in answer.verdict.evidence if "Exchange" in one.statement)
    assert evidence.kind is EvidenceKind.STATISTICAL


def test_the_distance_that_counts_is_the_one_asked_for_and_nearer_entries_come_first(workspace: Workspace) -> None:
    entry = picture_entry(UNKNOWN)
    put(workspace, "B", flipped(entry, 32), flipped(entry, 31))
    put(workspace, "A", flipped(entry, 31))
    put(workspace, "C", entry)
    searcher = workspace.searcher
    found = searcher.by_pdq(entry[1].hex()).listed
    assert [(one.entry.source, one.score.value) for one in found] == [("C", 0), ("A", 31), ("B", 31)]
    assert len(searcher.by_pdq(entry[1].hex(), SearchOptions(same_picture_max_distance=32)).listed) == 4
    assert len(searcher.by_pdq(entry[1].hex(), SearchOptions(same_picture_max_distance=30)).listed) == 1


def test_a_removed_list_is_gone_from_answers_at_once_in_every_process(workspace: Workspace) -> None:
    entry, other = picture_entry(UNKNOWN), picture_entry(KNOWN)
    put(workspace, "A", entry)
    put(workspace, "B", flipped(entry, 3), other)
    process = SearchIndex(workspace.catalog, workspace.settings, workspace.resolved.fingerprint)
    assert len(process.listed_picture([entry[1]], 31)) == 2
    with workspace.catalog.writing() as session:
        hash_lists.delete(session, "A")
    assert [one.entry.source for one in workspace.searcher.by_pdq(entry[1].hex()).listed] == ["B"]
    process.refresh()
    assert [hit.distance for hit in process.listed_picture([entry[1]], 31)] == [3]
    put(workspace, "A", entry)
    process.refresh()
    assert len(process.listed_picture([entry[1]], 31)) == 2
    process.close()


def test_a_persons_label_of_the_same_file_wins_over_a_list(workspace: Workspace) -> None:
    put(workspace, "Exchange", file_entry(KNOWN))
    answer = workspace.searcher.by_sha256(sha256_hex(png(KNOWN)))
    assert answer.verdict.outcome is Outcome.NO_MATCH_FOUND
    assert len(answer.listed) == 1, "it is told all the same"


def test_a_list_that_contradicts_a_near_picture_leaves_it_to_a_person(workspace: Workspace) -> None:
    put(workspace, "Exchange", picture_entry(KNOWN))
    by_pdq = workspace.searcher.by_pdq(picture_entry(KNOWN)[1].hex())
    assert by_pdq.verdict.outcome is Outcome.INCONCLUSIVE
    assert "different labels" in by_pdq.verdict.summary


def test_lists_of_authentic_and_of_unknown_images_say_just_that(workspace: Workspace) -> None:
    entry = picture_entry(UNKNOWN)
    put(workspace, "Agency", entry, label=LabelValue.AUTHENTIC)
    said = workspace.searcher.by_pdq(entry[1].hex()).verdict
    assert said.outcome is Outcome.NO_MATCH_FOUND
    assert "is on a hash list, labelled authentic" in said.summary
    assert said.evidence[0].direction is Direction.OPPOSES


def test_under_a_filter_that_lists_say_nothing_of_there_are_no_entries(workspace: Workspace) -> None:
    entry = picture_entry(UNKNOWN)
    put(workspace, "Exchange", entry)
    searcher = workspace.searcher
    for wanted, count in (
        (ImageFilter(label=LabelValue.FAKE), 1),
        (ImageFilter(label=LabelValue.AUTHENTIC), 0),
        (ImageFilter(platform="example-social"), 0),
    ):
        assert len(searcher.by_pdq(entry[1].hex(), SearchOptions(filter=wanted)).listed) == count


def test_a_catalogue_with_nothing_but_a_list_can_say_that_nothing_matches(workspace: Workspace) -> None:
    entry = picture_entry(UNKNOWN)
    far = flipped(entry, 120)[1].hex()
    assert workspace.searcher.by_pdq(far).verdict.outcome is Outcome.NOT_ASSESSABLE
    put(workspace, "Exchange", entry)
    assert workspace.searcher.by_pdq(far).verdict.outcome is Outcome.NO_MATCH_FOUND
