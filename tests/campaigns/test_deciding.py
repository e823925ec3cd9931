"""Analysts' decisions on a real catalogue: at once, in later runs, audited, contradicted, undone. On both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from indexer.campaigns import decisions as deciding
from indexer.campaigns.decisions import Author, undo
from indexer.campaigns.reasons import reasons_words
from indexer.catalog import Catalog
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.images import images, labels
from indexer.catalog.records.campaigns import Decision
from indexer.catalog.records.labels import NewLabel
from indexer.errors import CampaignGoneError, ConflictError, DejafakeError, NotFoundError, UsageError
from indexer.vocabulary import CampaignEventKind as Kind
from indexer.vocabulary import CampaignState, DecisionKind, LabelSource, LabelValue, MemberState
from tests.campaigns.desks import Desk, digest, digests

ANA = Author("Ana Example", "seen with my own eyes")


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Images 0 to 9; 0 to 3 are one campaign, 4 to 6 another, 7 to 9 none."""
    with Catalog.open(database_url) as catalog:
        made = Desk(catalog)
        made.add(*range(10))
        made.cluster({0, 1, 2, 3}, {4, 5, 6})
        yield made


def both(desk: Desk) -> tuple[str, str]:
    one, other = desk.of(0), desk.of(4)
    assert one is not None
    assert other is not None
    return one, other


def decide(desk: Desk, decision: Callable[[Session], Decision]) -> Decision:
    with desk.catalog.writing() as session:
        return decision(session)


def refused(desk: Desk, kind: type[DejafakeError], decision: Callable[[Session], Decision]) -> str:
    """The message of a decision that is refused and leaves everything as it was."""
    before = (desk.campaigns(), desk.decisions(), desk.events())
    with pytest.raises(kind) as error, desk.catalog.writing() as session:
        decision(session)
    assert (desk.campaigns(), desk.decisions(), desk.events()) == before
    return str(error.value)


def test_a_confirmed_member_stays_when_a_run_finds_it_elsewhere_and_one_is_put_in_by_confirming_it(desk: Desk) -> None:
    one, other = both(desk)
    made = decide(desk, lambda session: deciding.confirm_members(session, one, digests(0, 4, 7), ANA))
    assert (made.by, made.note, made.images) == ("Ana Example", "seen with my own eyes", 3)
    assert desk.campaigns() == {one: set(digests(0, 1, 2, 3, 4, 7)), other: set(digests(5, 6))}
    members = desk.members(one)
    assert members[digest(7)].strength == 0
    assert reasons_words(members[digest(7)].reasons) == (
        f"kept here by an analyst's decision {made.id} (confirm member)",
    )
    assert {sha for sha, one in members.items() if one.state is MemberState.CONFIRMED} == set(digests(0, 4, 7))
    after = desk.cluster({0, 4, 5, 6}, {1, 2, 3})
    assert after == {one: set(digests(0, 1, 2, 3, 4, 7)), other: set(digests(5, 6))}
    assert desk.members(one)[digest(4)].state is MemberState.CONFIRMED
    assert desk.members(one)[digest(1)].state is MemberState.SUGGESTED


def test_a_rejected_member_leaves_at_once_is_listed_and_no_run_puts_it_back_until_that_is_undone(desk: Desk) -> None:
    one, _ = both(desk)
    made = decide(desk, lambda session: deciding.reject_members(session, one, digests(3), ANA))
    assert desk.of(3) is None
    assert desk.cluster({0, 1, 2, 3}, {4, 5, 6})[one] == set(digests(0, 1, 2))
    with desk.catalog.reading() as session:
        (rejected,) = campaign_decisions.rejected(session, one, 10).items
    assert (rejected.sha256, rejected.decision, rejected.by) == (digest(3), made.id, "Ana Example")
    undone = decide(desk, lambda session: undo(session, made.id, ANA))
    assert desk.of(3) == one
    assert desk.cluster({0, 1, 2, 3}, {4, 5, 6})[one] == set(digests(0, 1, 2, 3))
    log = desk.decisions(one)
    assert [(entry.id, entry.undoes, entry.undone_by) for entry in log] == [
        (undone.id, made.id, None),
        (made.id, None, undone.id),
    ]


def test_merged_campaigns_are_one_at_once_and_in_runs_and_the_old_id_names_its_successor(desk: Desk) -> None:
    one, other = both(desk)
    made = decide(desk, lambda session: deciding.merge(session, one, other, ANA))
    assert desk.campaigns() == {one: set(digests(*range(7)))}
    assert set(desk.events()[-2:]) == {(Kind.GREW, one, None), (Kind.MERGED, other, one)}
    assert all(event.decision == made.id and event.run is None for event in desk.history()[-2:])
    assert desk.cluster({0, 1, 2, 3}, {4, 5, 6, 7}) == {one: set(digests(*range(8)))}
    with (
        desk.catalog.reading() as session,
        pytest.raises(CampaignGoneError, match=f"merged into {one} on .* by") as gone,
    ):
        campaigns.existing(session, other)
    assert gone.value.successor == one
    decide(desk, lambda session: undo(session, made.id, ANA))
    assert desk.campaigns() == {one: set(digests(0, 1, 2, 3, 7)), other: set(digests(4, 5, 6))}
    assert desk.cluster({0, 1, 2, 3}, {4, 5, 6, 7}) == {one: set(digests(0, 1, 2, 3)), other: set(digests(4, 5, 6, 7))}


def test_a_successor_that_was_merged_too_is_followed(desk: Desk) -> None:
    one, other = both(desk)
    desk.cluster({0, 1, 2, 3}, {4, 5, 6}, {7, 8, 9})
    third = desk.of(7)
    assert third is not None
    decide(desk, lambda session: deciding.merge(session, other, third, ANA))
    decide(desk, lambda session: deciding.merge(session, one, other, ANA))
    message = refused(desk, CampaignGoneError, lambda session: deciding.close(session, third, ANA))
    assert f"was merged into {other}" in message
    assert f"which is now {one}" in message


def test_what_was_split_is_a_campaign_at_once_and_stays_one_until_that_is_undone(desk: Desk) -> None:
    one, other = both(desk)
    made = decide(desk, lambda session: deciding.split(session, one, digests(3), ANA, name="The second wave"))
    part = made.other
    assert part is not None
    assert desk.campaigns() == {one: set(digests(0, 1, 2)), part: set(digests(3)), other: set(digests(4, 5, 6))}
    assert (Kind.SPLIT, part, one) in desk.events(one)
    assert desk.cluster({0, 1, 2, 3, 7}, {4, 5, 6})[part] == set(digests(3))
    with desk.catalog.reading() as session:
        assert campaigns.existing(session, part).name == "The second wave"
    decide(desk, lambda session: undo(session, made.id, ANA))
    assert desk.of(3) == one
    assert part not in desk.campaigns()
    assert desk.cluster({0, 1, 2, 3, 7}, {4, 5, 6})[one] == set(digests(0, 1, 2, 3, 7))


def test_a_name_given_by_people_survives_runs_and_undoing_it_gives_the_one_before(desk: Desk) -> None:
    one, _ = both(desk)
    made = decide(desk, lambda session: deciding.rename(session, one, " Teapot ", ANA))
    desk.cluster({0, 1, 2, 3, 7}, {4, 5, 6})
    with desk.catalog.reading() as session:
        assert campaigns.existing(session, one).name == "Teapot"
    assert desk.history(one)[1].name_before == "Campaign of 4 images"
    decide(desk, lambda session: undo(session, made.id, ANA))
    with desk.catalog.reading() as session:
        assert campaigns.existing(session, one).name == "Campaign of 5 images"
    desk.cluster({0, 1, 2, 3, 7}, {4, 5, 6})
    with desk.catalog.reading() as session:
        assert campaigns.existing(session, one).name == "Campaign of 5 images"


def test_a_pinned_campaign_outlives_its_evidence_and_ends_when_unpinned(desk: Desk) -> None:
    one, other = both(desk)
    made = decide(desk, lambda session: deciding.pin(session, other, ANA))
    assert desk.cluster() == {other: set(digests(4, 5, 6))}
    assert all(member.pinned and member.state is MemberState.SUGGESTED for member in desk.members(other).values())
    assert (Kind.DIED, one, None) in desk.events()
    decide(desk, lambda session: undo(session, made.id, ANA))
    assert desk.campaigns() == {other: set(digests(4, 5, 6))}
    assert not any(member.pinned for member in desk.members(other).values())
    assert desk.cluster() == {}
    message = refused(desk, CampaignGoneError, lambda session: deciding.close(session, other, ANA))
    assert "nothing holds its 3 images together any more" in message


def test_a_pinned_image_that_is_no_fake_any_more_leaves_with_the_next_run(desk: Desk) -> None:
    _, other = both(desk)
    decide(desk, lambda session: deciding.pin_members(session, other, digests(4, 5), ANA))
    with desk.catalog.writing() as session:
        image_id = images.find_ids(session, digests(5))[digest(5)]
        labels.state(session, image_id, [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "desk")])
    assert desk.cluster() == {other: {digest(4)}}


def test_campaigns_are_confirmed_closed_and_annotated_and_it_stays_so_after_a_run(desk: Desk) -> None:
    one, _ = both(desk)
    made = [
        decide(desk, lambda session: deciding.confirm(session, one, ANA)),
        decide(desk, lambda session: deciding.close(session, one, ANA)),
        decide(desk, lambda session: deciding.annotate(session, one, Author("Ben", "see the archive"))),
    ]
    for _ in range(2):
        with desk.catalog.reading() as session:
            found = campaigns.existing(session, one)
        assert (found.state, found.confirmed) == (CampaignState.CLOSED, True)
        desk.cluster({0, 1, 2, 3}, {4, 5, 6})
    assert [entry.note for entry in desk.decisions(one)] == ["see the archive", ANA.note, ANA.note]
    for entry in made:
        decide(desk, lambda session, number=entry.id: undo(session, number, ANA))  # type: ignore[misc]
    with desk.catalog.reading() as session:
        found = campaigns.existing(session, one)
    assert (found.state, found.confirmed) == (CampaignState.OPEN, False)


def test_undoing_any_decision_at_once_puts_every_image_and_mark_where_it_was(desk: Desk) -> None:
    one, other = both(desk)

    def now() -> dict[str, dict[str, tuple[MemberState, bool]]]:
        names = desk.campaigns()
        return {name: {sha: (m.state, m.pinned) for sha, m in desk.members(name).items()} for name in names}

    before = now()
    for decision in (
        lambda session: deciding.confirm_members(session, one, digests(0, 4, 7), ANA),
        lambda session: deciding.pin_members(session, one, digests(1, 5), ANA),
        lambda session: deciding.reject_members(session, one, digests(2, 3), ANA),
        lambda session: deciding.confirm_members(session, one, digests(4, 5, 6), ANA),
        lambda session: deciding.merge(session, one, other, ANA),
        lambda session: deciding.merge(session, other, one, ANA),
        lambda session: deciding.split(session, one, digests(0, 1, 2), ANA),
        lambda session: deciding.pin(session, one, ANA),
        lambda session: deciding.confirm(session, one, ANA),
    ):
        made = decide(desk, decision)
        assert made.kind is DecisionKind.CONFIRM or now() != before
        decide(desk, lambda session, number=made.id: undo(session, number, ANA))  # type: ignore[misc]
        assert now() == before, made

    decide(desk, lambda session: deciding.confirm_members(session, other, digests(4, 5, 6), ANA))
    before = now()
    merged = decide(desk, lambda session: deciding.merge(session, one, other, ANA))
    decide(desk, lambda session: undo(session, merged.id, ANA))
    assert now() == before


def test_contradictions_name_the_earlier_decision_and_how_to_undo_it(desk: Desk) -> None:
    one, other = both(desk)
    first = decide(desk, lambda session: deciding.confirm_members(session, one, digests(0), ANA))
    second = decide(desk, lambda session: deciding.reject_members(session, one, digests(3), ANA))
    third = decide(desk, lambda session: deciding.confirm_members(session, other, digests(3), ANA))
    part = decide(desk, lambda session: deciding.split(session, other, digests(5), ANA)).other
    assert part is not None
    contradictions: list[tuple[int, Callable[[Session], Decision]]] = [
        (first.id, lambda session: deciding.confirm_members(session, other, digests(0), ANA)),
        (first.id, lambda session: deciding.pin_members(session, other, digests(0), ANA)),
        (first.id, lambda session: deciding.reject_members(session, one, digests(0), ANA)),
        (first.id, lambda session: deciding.split(session, one, digests(0), ANA)),
        (second.id, lambda session: deciding.confirm_members(session, one, digests(3), ANA)),
        (second.id, lambda session: deciding.merge(session, one, other, ANA)),
        (second.id, lambda session: deciding.merge(session, other, one, ANA)),
        (third.id + 1, lambda session: deciding.merge(session, other, part, ANA)),
    ]
    for number, decision in contradictions:
        message = refused(desk, ConflictError, decision)
        assert f"by decision {number} of Ana Example" in message
        assert f"dejafake decide undo {number}`" in message


def test_what_was_decided_already_is_not_decided_again(desk: Desk) -> None:
    one, _ = both(desk)
    again: list[Callable[[Session], Decision]] = [
        lambda session: deciding.confirm_members(session, one, digests(0, 1), ANA),
        lambda session: deciding.pin_members(session, one, digests(0, 1), ANA),
        lambda session: deciding.confirm(session, one, ANA),
        lambda session: deciding.pin(session, one, ANA),
        lambda session: deciding.close(session, one, ANA),
        lambda session: deciding.reject_members(session, one, digests(3), ANA),
    ]
    for decision in again:
        made = decide(desk, decision)
        assert f"by decision {made.id} of Ana Example" in refused(desk, ConflictError, decision)


def test_an_undo_is_not_undone_nor_done_twice_nor_before_what_builds_on_it(desk: Desk) -> None:
    one, other = both(desk)
    merged = decide(desk, lambda session: deciding.merge(session, one, other, ANA))
    split = decide(desk, lambda session: deciding.split(session, one, digests(0, 4), ANA))
    assert f"undo it first with `dejafake decide undo {split.id}`" in refused(
        desk, ConflictError, lambda session: undo(session, merged.id, ANA)
    )
    undone = decide(desk, lambda session: undo(session, split.id, ANA))
    assert "undone already" in refused(desk, ConflictError, lambda session: undo(session, split.id, ANA))
    assert "itself an undo" in refused(desk, ConflictError, lambda session: undo(session, undone.id, ANA))
    decide(desk, lambda session: undo(session, merged.id, ANA))
    assert desk.campaigns() == {one: set(digests(0, 1, 2, 3)), other: set(digests(4, 5, 6))}


def test_mistakes_get_one_line_and_change_nothing(desk: Desk) -> None:
    one, _ = both(desk)
    desk.add(20, label=LabelValue.AUTHENTIC)
    mistakes: list[tuple[type[DejafakeError], str, Callable[[Session], Decision]]] = [
        (NotFoundError, "no campaign 'cmp_none'", lambda session: deciding.close(session, "cmp_none", ANA)),
        (
            NotFoundError,
            "not in this catalogue",
            lambda session: deciding.confirm_members(session, one, digests(77), ANA),
        ),
        (NotFoundError, "is not in campaign", lambda session: deciding.reject_members(session, one, digests(4), ANA)),
        (UsageError, "not known as a fake", lambda session: deciding.confirm_members(session, one, digests(20), ANA)),
        (UsageError, "at least one image", lambda session: deciding.reject_members(session, one, [], ANA)),
        (UsageError, "leaves nothing", lambda session: deciding.split(session, one, digests(0, 1, 2, 3), ANA)),
        (UsageError, "into itself", lambda session: deciding.merge(session, one, one, ANA)),
        (UsageError, "somebody who decided", lambda session: deciding.close(session, one, Author(" "))),
        (UsageError, "needs words", lambda session: deciding.annotate(session, one, Author("Ana", " "))),
        (UsageError, "needs a name", lambda session: deciding.rename(session, one, " ", ANA)),
        (NotFoundError, "no decision 99", lambda session: undo(session, 99, ANA)),
        (NotFoundError, "no decision", lambda session: undo(session, 2**80, ANA)),
    ]
    for kind, words, decision in mistakes:
        assert words in refused(desk, kind, decision)


def test_a_run_that_is_killed_while_it_writes_leaves_campaigns_and_history_as_they_were(desk: Desk) -> None:
    one, _ = both(desk)
    decide(desk, lambda session: deciding.reject_members(session, one, digests(3), ANA))
    before = (desk.campaigns(), desk.history())

    def killed(_members: object, _exemplars: object) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.cluster({0, 1, 2, 3, 4, 5}, {6, 7, 8}, measure=killed)
    assert (desk.campaigns(), desk.history()) == before


def test_the_same_images_and_decisions_give_the_same_campaigns_and_history(tmp_path: Path) -> None:
    results = []
    for name, order in (("one", range(10)), ("other", range(9, -1, -1))):
        with Catalog.open(f"sqlite:///{tmp_path / name}.sqlite") as catalog:
            desk = Desk(catalog)
            desk.add(*order)
            groups: list[set[int]] = [{0, 1, 2, 3}, {4, 5, 6}]
            desk.cluster(*(groups if name == "one" else groups[::-1]))
            one, other = both(desk)
            decide(desk, lambda session, one=one: deciding.split(session, one, digests(0), ANA))  # type: ignore[misc]
            decide(desk, lambda session, to=other: deciding.confirm_members(session, to, digests(1), ANA))  # type: ignore[misc]
            desk.cluster({0, 1, 2, 3, 7}, {4, 5, 6, 8})
            members = {name: desk.members(name) for name in desk.campaigns()}
            events = [(event.kind, event.campaign, event.other, event.name, event.size) for event in desk.history()]
            results.append((members, events))
    assert results[0] == results[1]


def test_runs_and_deletions_are_in_the_history_page_by_page(desk: Desk) -> None:
    one, other = both(desk)
    desk.cluster({0, 1, 2, 3, 4, 5, 6, 7})
    with desk.catalog.writing() as session:
        images.delete(session, digest(0), "asked for")
    events = desk.history()
    assert [(event.kind, event.campaign, event.other, event.added, event.removed) for event in events[2:]] == [
        *sorted([(Kind.GREW, one, None, 4, 0), (Kind.MERGED, other, one, 0, 3)], key=lambda event: event[1]),
        (Kind.SHRANK, one, None, 0, 1),
    ]
    assert {event.run for event in events[:2]} == {1}
    assert {event.run for event in events[2:4]} == {2}
    assert events[4].run is None
    assert [event.kind for event in desk.history(one)] == [
        event.kind for event in events if one in (event.campaign, event.other)
    ]
    with desk.catalog.reading() as session:
        found, cursor = [], None
        while True:
            page = campaign_events.page(session, 2, cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
    assert found == events[::-1]
