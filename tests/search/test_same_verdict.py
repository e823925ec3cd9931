"""A verdict is about all images that the asker may see: limits, label scopes and filters narrow what is listed only."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.catalog import hash_lists
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.index import IndexView
from indexer.index.vectors import VectorStore
from indexer.search.answers import SearchAnswer, SearchOptions
from indexer.search.candidates import Asked, Candidates
from indexer.search.searcher import Searcher
from indexer.verdict.deciding import Verdict
from indexer.vocabulary import HashAlgorithm, LabelValue, Outcome, Relation, Technique
from indexer.workspace import Workspace
from tests.planted_catalogue import QUERY_HASH, QUERY_VECTOR, Planted, plant, planted_workspace

FAKE, AUTHENTIC = LabelValue.FAKE, LabelValue.AUTHENTIC
LIMITS = (1, 2, 3, 10, 11, 49, 50, 51, 60, 100)
FILTERS = (
    ImageFilter(),
    ImageFilter(label=FAKE),
    ImageFilter(label=AUTHENTIC),
    ImageFilter(label=LabelValue.UNKNOWN),
    ImageFilter(technique=Technique.SPLICE),
    ImageFilter(generator="none such"),
    ImageFilter(platform="example-social"),
    ImageFilter(posted_from=datetime(2026, 1, 1, tzinfo=UTC)),
    ImageFilter(collections=("team-b",)),
    ImageFilter(collections=("nowhere",)),
    ImageFilter(model_hash="abc"),
    ImageFilter(made_with="none such"),
)
SCOPES = (FAKE, AUTHENTIC, LabelValue.UNKNOWN, None)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with planted_workspace(tmp_path) as opened:
        yield opened


def said(answer: SearchAnswer) -> Verdict:
    """All but when it was said, and the name of a snapshot that is written meanwhile."""
    index = replace(answer.verdict.index, snapshot="")
    return replace(answer.verdict, decided_at=datetime(2026, 1, 1, tzinfo=UTC), index=index)


def by_embedding(searcher: Searcher, options: SearchOptions) -> SearchAnswer:
    return searcher.by_embedding(QUERY_VECTOR.tolist(), options)


def by_pdq(searcher: Searcher, options: SearchOptions) -> SearchAnswer:
    return searcher.by_pdq(QUERY_HASH.hex(), options)


def test_a_filter_that_leaves_the_known_fake_out_does_not_deny_it(workspace: Workspace) -> None:
    (fake, *_) = plant(workspace, [Planted(FAKE, 0.99, 0, "team-a"), Planted(AUTHENTIC, 0.5, None, "team-b")])
    searcher = workspace.searcher
    for wanted in FILTERS:
        options = SearchOptions(filter=wanted)
        asked = [
            searcher.by_sha256(fake, options),
            searcher.by_hashes(fake, None, options),
            searcher.by_hashes(None, QUERY_HASH.hex(), options),
            searcher.by_hashes("e" * 64, QUERY_HASH.hex(), options),
            by_pdq(searcher, options),
        ]
        for answer in asked:
            assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH, wanted
            assert [one.sha256 for one in answer.verdict.matched] == [fake]
            assert answer.verdict.evidence[0].statement
        alike = by_embedding(searcher, options)
        assert alike.verdict.outcome is Outcome.SIMILAR_TO_KNOWN_FAKE, wanted


def test_what_a_filter_keeps_out_is_not_listed_and_the_answer_says_so(workspace: Workspace) -> None:
    fake, other = plant(workspace, [Planted(FAKE, 0.99, 0, "team-a"), Planted(FAKE, 0.5, None, "team-b")])
    narrowed = workspace.searcher.by_sha256(fake, SearchOptions(filter=ImageFilter(collections=("team-b",))))
    assert [match.image.image.sha256 for match in narrowed.matches] == [other]
    assert narrowed.kept_out == 1
    assert "filter" in (narrowed.scope_note or "")
    whole = workspace.searcher.by_sha256(fake)
    assert whole.kept_out == 0
    assert whole.scope_note is None
    assert said(whole) == said(narrowed)


def test_a_filter_that_keeps_nothing_out_is_not_spoken_of(workspace: Workspace) -> None:
    fake, _ = plant(workspace, [Planted(FAKE, 0.99, 0, "team-a"), Planted(FAKE, 0.5, None, "team-b")])
    answer = workspace.searcher.by_sha256(fake, SearchOptions(filter=ImageFilter(label=FAKE)))
    assert (answer.kept_out, answer.scope_note) == (0, None)


def test_without_any_match_a_filtered_search_still_says_no_match(workspace: Workspace) -> None:
    plant(workspace, [Planted(FAKE, 0.2, None, "team-a")])
    for options in (SearchOptions(), SearchOptions(filter=ImageFilter(collections=("team-b",)))):
        assert by_embedding(workspace.searcher, options).verdict.outcome is Outcome.NO_MATCH_FOUND
        assert by_pdq(workspace.searcher, options).verdict.outcome is Outcome.NO_MATCH_FOUND


def test_a_label_scope_wider_than_fakes_does_not_hide_the_fake_behind_a_nearer_image(workspace: Workspace) -> None:
    plant(workspace, [Planted(AUTHENTIC, 0.999), Planted(None, 0.998), Planted(FAKE, 0.95)])
    answers = [
        by_embedding(workspace.searcher, SearchOptions(limit=limit, likeness_label=label))
        for limit in (1, 2, 3)
        for label in SCOPES
    ]
    assert {answer.verdict.outcome for answer in answers} == {Outcome.SIMILAR_TO_KNOWN_FAKE}
    assert len({repr(said(answer)) for answer in answers}) == 1


def test_a_known_fake_behind_a_crowd_of_nearer_copies_decides(workspace: Workspace) -> None:
    plant(workspace, [*[Planted(None, None, 0)] * 70, Planted(FAKE, None, 6, stated_by="the late desk")])
    for limit in LIMITS:
        answer = by_pdq(workspace.searcher, SearchOptions(limit=limit))
        assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
        assert "the late desk" in answer.verdict.summary
        assert any("the late desk" in one.statement for one in answer.verdict.evidence)
        assert len(answer.matches) == min(limit, 71)


def test_a_fake_on_a_list_behind_a_crowd_of_nearer_entries_decides(workspace: Workspace) -> None:
    value = int.from_bytes(QUERY_HASH)
    near = [(HashAlgorithm.PDQ, (value ^ (1 << bit)).to_bytes(32)) for bit in range(80)]
    with workspace.catalog.writing() as session:
        hash_lists.add(session, "seen", LabelValue.UNKNOWN, near)
        hash_lists.add(session, "fakes", FAKE, [(HashAlgorithm.PDQ, (value ^ 0b1111).to_bytes(32))])
    for wanted in FILTERS:
        answer = by_pdq(workspace.searcher, SearchOptions(filter=wanted))
        assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH, wanted
        assert any("fakes" in one.statement for one in answer.verdict.evidence)


def test_a_filter_does_not_silence_a_hash_list_and_says_that_it_is_not_shown(workspace: Workspace) -> None:
    plant(workspace, [Planted(AUTHENTIC, 0.1, None, "team-b")])
    with workspace.catalog.writing() as session:
        hash_lists.add(session, "Exchange", FAKE, [(HashAlgorithm.PDQ, QUERY_HASH)])
    answers = [by_pdq(workspace.searcher, SearchOptions(filter=wanted)) for wanted in FILTERS]
    for answer in answers:
        assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
        assert len(answer.listed) + answer.kept_out == 1
        assert (answer.scope_note is None) == (answer.kept_out == 0)
    assert len({repr(said(answer)) for answer in answers}) == 1


def test_the_list_at_a_small_limit_is_the_start_of_the_list_at_a_large_one(workspace: Workspace) -> None:
    plant(workspace, [Planted(FAKE, 0.8 + n / 100, 2 * n if n < 15 else None) for n in range(19)])
    for ask in (by_embedding, by_pdq):
        whole = ask(workspace.searcher, SearchOptions(limit=100)).matches
        for limit in LIMITS:
            assert ask(workspace.searcher, SearchOptions(limit=limit)).matches == whole[:limit]


def test_an_unfiltered_search_asks_the_index_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(workspace, [Planted(FAKE, 0.95), Planted(AUTHENTIC, 0.99)])
    asked: list[int] = []
    search = VectorStore.search

    def counted(self: VectorStore, *arguments: object, **options: object) -> object:
        asked.append(1)
        return search(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(VectorStore, "search", counted)
    for limit in LIMITS:
        asked.clear()
        by_embedding(workspace.searcher, SearchOptions(limit=limit))
        assert len(asked) == 1


planted = st.builds(
    Planted,
    label=st.sampled_from([FAKE, AUTHENTIC, LabelValue.UNKNOWN, None]),
    cosine=st.sampled_from([None, 0.5, 0.89, 0.91, 0.95, 0.999]),
    bits=st.sampled_from([None, 0, 3, 31, 32]),
    collection=st.sampled_from([None, "team-a", "team-b"]),
    stated_by=st.sampled_from(["desk", "agency"]),
    copied=st.sampled_from([None, 0.9, 0.97, 1.0]),
)
listed = st.lists(
    st.tuples(st.sampled_from(list(LabelValue)), st.sampled_from([0, 5, 31, 33])), max_size=3, unique=True
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with planted_workspace(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(wanted=st.lists(planted, max_size=14), lists=listed, crowd=st.sampled_from([0, 0, 55]), data=st.data())
def test_one_question_has_one_verdict_whatever_is_listed(
    shared: Workspace,
    wanted: Sequence[Planted],
    lists: Sequence[tuple[LabelValue, int]],
    crowd: int,
    data: st.DataObject,
) -> None:
    emptied(shared)
    crowded = Planted(None, None, 1) if data.draw(st.booleans()) else Planted(None, None, None, copied=1.0)
    sha256s = plant(shared, [*[crowded] * crowd, *wanted])
    value = int.from_bytes(QUERY_HASH)
    with shared.catalog.writing() as session:
        for number, (label, bits) in enumerate(lists):
            entry = (HashAlgorithm.PDQ, (value ^ ((1 << bits) - 1)).to_bytes(32))
            hash_lists.add(session, f"list {number}", label, [entry])
    searcher = shared.searcher
    options = st.builds(
        SearchOptions,
        limit=st.sampled_from(LIMITS),
        filter=st.sampled_from(FILTERS),
        likeness_label=st.sampled_from(SCOPES),
    )
    some = data.draw(st.lists(options, min_size=3, max_size=6))
    asks = [by_embedding, by_pdq]
    if sha256s:
        sha256 = data.draw(st.sampled_from(sha256s))
        asks.append(lambda searcher, options: searcher.by_sha256(sha256, options))
        asks.append(lambda searcher, options: searcher.by_sha256(sha256, options, leave_itself_out=True))
    for ask in asks:
        plain = ask(searcher, SearchOptions())
        for one in some:
            answer = ask(searcher, one)
            assert said(answer) == said(plain), one
            assert len(answer.matches) <= (one.limit or 0)
            seen = {match.image.image.sha256 for match in answer.matches}
            assert len(seen) == len(answer.matches)


def emptied(workspace: Workspace) -> None:
    with workspace.catalog.writing() as session:
        for one in hash_lists.all_lists(session):
            hash_lists.delete(session, one.name)
        page = images.page(session, ImageFilter(), limit=1000)
        for image in page.items:
            images.delete(session, image.sha256, "the next example")


def test_a_fake_behind_a_crowd_of_nearer_likely_copies_decides(workspace: Workspace) -> None:
    asked, *_ = plant(workspace, [Planted(copied=1.0)] * 70)
    plant(workspace, [Planted(FAKE, copied=0.97, stated_by="the late desk")])
    for wanted in (SearchOptions(), SearchOptions(limit=1), SearchOptions(filter=ImageFilter(collections=("no",)))):
        answer = workspace.searcher.by_sha256(asked, wanted)
        assert answer.verdict.outcome is Outcome.KNOWN_FAKE_MATCH
        assert "What is likely the same picture is a known fake, labelled by the late desk." in answer.verdict.summary
        assert any("0.10%" in limit for limit in answer.verdict.limitations)


def test_every_relation_is_still_told_in_its_place(workspace: Workspace) -> None:
    fake, copy, alike = plant(workspace, [Planted(FAKE, 0.99, 0), Planted(FAKE, 0.2, 4), Planted(FAKE, 0.95, None)])
    answer = workspace.searcher.by_sha256(fake)
    assert [(one.image.image.sha256, one.relation) for one in answer.matches] == [
        (fake, Relation.SAME_FILE),
        (copy, Relation.SAME_PICTURE),
        (alike, Relation.SAME_ORIGIN),
    ]


def test_the_verdict_names_the_state_that_was_searched_although_images_come_and_go_meanwhile(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, _ = plant(workspace, [Planted(FAKE, 0.99, 0), Planted(FAKE, 0.2, None)])
    workspace.index.bring_up_to_date()
    searched = workspace.index.view()
    found = Candidates.of

    def then_changed(view: IndexView, asked: Asked) -> Candidates:
        answer = found(view, asked)
        with workspace.catalog.writing() as session:
            images.delete(session, fake, "between searching and reading")
        plant(workspace, [Planted(FAKE, 0.98, 1)] * 3)
        workspace.index.refresh()
        return answer

    monkeypatch.setattr(Candidates, "of", then_changed)
    said_then = by_embedding(workspace.searcher, SearchOptions()).verdict
    assert (said_then.index.snapshot, said_then.index.size) == (searched.snapshot_id, 2)
    assert said_then.matched == (), "what was deleted is not told, and what came later was not searched"
    monkeypatch.undo()
    said_now = by_embedding(workspace.searcher, SearchOptions()).verdict
    assert said_now.index.snapshot == workspace.index.snapshot_id != searched.snapshot_id
    assert said_now.index.size == 4


def test_a_file_that_came_after_the_state_that_was_searched_is_left_to_the_next_search(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(workspace, [Planted(FAKE, 0.2, None)])
    coming = f"{2:064x}"
    found = Candidates.of

    def then_changed(view: IndexView, asked: Asked) -> Candidates:
        answer = found(view, asked)
        assert plant(workspace, [Planted(FAKE, 0.2, None)]) == [coming]
        return answer

    monkeypatch.setattr(Candidates, "of", then_changed)
    early = workspace.searcher.by_hashes(coming, np.random.default_rng(77).bytes(32).hex())
    assert (early.verdict.outcome, early.verdict.index.size) == (Outcome.NO_MATCH_FOUND, 1)
    monkeypatch.undo()
    late = workspace.searcher.by_hashes(coming, np.random.default_rng(77).bytes(32).hex())
    assert (late.verdict.outcome, late.verdict.index.size) == (Outcome.KNOWN_FAKE_MATCH, 2)


def test_a_search_of_an_approximate_index_has_one_verdict_at_every_limit(tmp_path: Path) -> None:
    with planted_workspace(tmp_path, exact_search_max=300) as opened:
        plant(opened, [Planted(FAKE, 0.05 + n / 500, None) for n in range(460)])
        opened.index.bring_up_to_date()
        assert opened.index.view().approximate
        said_at = {repr(said(by_embedding(opened.searcher, SearchOptions(limit=limit)))) for limit in LIMITS}
    assert len(said_at) == 1
