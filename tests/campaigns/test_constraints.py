"""Decisions bind what a clustering finds: must-link, cannot-link, and nothing else changes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.campaigns.identity.bindings import NOTHING_DECIDED, Bindings, bindings
from indexer.campaigns.identity.constraints import constrain
from indexer.vocabulary import DecisionKind
from tests.campaigns.made_decisions import Made

A, B = "cmp_a", "cmp_b"


def named(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def found(
    groups: list[list[str]], before: dict[str, list[str]], decided: Bindings, also: tuple[str, ...] = ()
) -> dict[str, set[str]]:
    everyone = {*also, *(image for group in groups for image in group)}
    owned = {name: set(members) for name, members in before.items()}
    return {group.id: set(group.members) for group in constrain(groups, owned, decided, everyone)}


def test_merged_campaigns_stay_one_when_the_evidence_parts_them_and_new_images_come_along() -> None:
    one, other = named("a", 6), named("b", 4)
    made = Made()
    made.decide(DecisionKind.MERGE, A, dict.fromkeys([*one, *other], A), other=B)
    after = found([[*one, "new1"], [*other, "new2"]], {A: [*one, *other]}, bindings(made.standing))
    assert after == {A: {*one, *other, "new1", "new2"}}


def test_what_was_split_stays_apart_when_the_evidence_joins_it_even_if_the_part_is_larger() -> None:
    rest, part = named("r", 3), named("p", 5)
    made = Made()
    made.decide(DecisionKind.SPLIT, A, dict.fromkeys(part, B) | dict.fromkeys(rest, A), other=B)
    after = found([[*rest, *part, "new"]], {A: rest, B: part}, bindings(made.standing))
    assert after == {A: set(rest), B: {*part, "new"}}


def test_a_rejected_image_is_in_no_campaign_and_its_neighbours_stay() -> None:
    members = named("a", 5)
    made = Made()
    made.decide(DecisionKind.REJECT_MEMBER, A, {"a0": None})
    assert found([members], {A: members[1:]}, bindings(made.standing)) == {A: set(members[1:])}


def test_a_rejection_holds_in_the_campaign_that_the_rejecting_one_was_merged_into() -> None:
    one, other = named("a", 4), named("b", 4)
    made = Made()
    made.decide(DecisionKind.REJECT_MEMBER, B, {"x": None})
    made.decide(DecisionKind.MERGE, A, dict.fromkeys([*one, *other], A), other=B)
    after = found([[*one, *other, "x"]], {A: [*one, *other]}, bindings(made.standing))
    assert after == {A: {*one, *other}}


def test_one_confirmed_image_moves_alone_and_does_not_drag_the_group_it_was_found_in() -> None:
    here, there = named("a", 5), named("b", 50)
    made = Made()
    made.decide(DecisionKind.CONFIRM_MEMBER, A, {"x": A})
    after = found([here, [*there, "x"]], {A: [*here, "x"], B: there}, bindings(made.standing))
    assert after == {A: {*here, "x"}, B: set(there)}


def test_nor_does_it_drag_a_part_that_fell_off_another_campaign() -> None:
    here, there = named("a", 5), named("b", 40)
    made = Made()
    made.decide(DecisionKind.CONFIRM_MEMBER, A, {"x": A})
    after = found([here, there[:30], [*there[30:], "x"]], {A: [*here, "x"], B: there}, bindings(made.standing))
    assert (after.pop(A), after.pop(B)) == ({*here, "x"}, set(there[:30]))
    assert list(after.values()) == [set(there[30:])]


def test_a_pinned_campaign_lives_on_when_all_evidence_is_gone() -> None:
    members = named("a", 3)
    made = Made()
    made.decide(DecisionKind.PIN, A, dict.fromkeys(members, A))
    assert found([], {A: members}, bindings(made.standing), also=tuple(members)) == {A: set(members)}
    assert found([], {A: members}, NOTHING_DECIDED, also=tuple(members)) == {}


def test_bound_images_that_are_no_candidates_any_more_are_left_out() -> None:
    made = Made()
    made.decide(DecisionKind.PIN, A, {"a0": A, "a1": A})
    assert found([], {A: ["a0", "a1"]}, bindings(made.standing), also=("a1",)) == {A: {"a1"}}


def test_a_decision_about_an_image_is_stronger_than_one_about_its_campaign_whichever_came_later() -> None:
    members = named("a", 4)
    made = Made()
    made.decide(DecisionKind.CONFIRM_MEMBER, B, {"a0": B})
    made.decide(DecisionKind.PIN, A, dict.fromkeys(members, A))
    made.decide(DecisionKind.REJECT_MEMBER, A, {"a1": None})
    decided = bindings(made.standing)
    assert decided.bound["a0"].campaign == B
    assert "a1" not in decided.bound
    assert found([members], {A: members}, decided) == {A: {"a2", "a3"}, B: {"a0"}}


def test_a_group_that_a_rejection_left_with_one_image_is_none() -> None:
    made = Made()
    made.decide(DecisionKind.REJECT_MEMBER, A, {"a0": None, "a1": None})
    assert found([named("a", 3)], {A: ["a2"]}, bindings(made.standing)) == {}


IMAGES = named("i", 12)
CAMPAIGNS = (A, B, "cmp_c")
places = st.lists(st.sampled_from([*CAMPAIGNS, "none"]), min_size=12, max_size=12)
named_decisions = st.lists(
    st.tuples(st.booleans(), st.sampled_from(IMAGES), st.sampled_from(CAMPAIGNS)),
    max_size=6,
    unique_by=lambda one: one[1],
)


def grouped(chosen: list[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for image, place in zip(IMAGES, chosen, strict=True):
        if place != "none":
            groups.setdefault(place, []).append(image)
    return groups


@settings(max_examples=60, deadline=None)
@given(were=places, are=places, said=named_decisions)
def test_whatever_is_found_decisions_hold_and_no_image_is_in_two_campaigns(
    were: list[str], are: list[str], said: list[tuple[bool, str, str]]
) -> None:
    made = Made()
    for rejects, image, campaign in said:
        if rejects:
            made.decide(DecisionKind.REJECT_MEMBER, campaign, {image: None})
        else:
            made.decide(DecisionKind.CONFIRM_MEMBER, campaign, {image: campaign})
    groups = [group for group in grouped(are).values() if len(group) > 1]
    decided = bindings(made.standing)
    after = found(groups, grouped(were), decided, also=tuple(IMAGES))
    assert found(groups, grouped(were), decided, also=tuple(IMAGES)) == after
    placed = [image for members in after.values() for image in members]
    assert len(placed) == len(set(placed))
    for rejects, image, campaign in said:
        assert (image in after.get(campaign, set())) is not rejects
    if not said:
        assert sorted(map(sorted, after.values())) == sorted(map(sorted, groups))
