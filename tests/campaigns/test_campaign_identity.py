import random
import re

from indexer.campaigns.identity.bindings import NOTHING_DECIDED
from indexer.campaigns.identity.constraints import constrain


def named(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def settle_ids(groups: list[list[str]], before: dict[str, set[str]]) -> tuple[str, ...]:
    """The id of each group, in order, where nobody decided anything."""
    everyone = {image for group in groups for image in group}
    made = {group.members: group.id for group in constrain(groups, before, NOTHING_DECIDED, everyone)}
    return tuple(made[tuple(sorted(group))] for group in groups)


def test_an_id_is_derived_from_the_members_whatever_their_order() -> None:
    members = named("a", 5)
    (first,) = settle_ids([members], {})
    assert re.fullmatch(r"cmp_[a-z2-7]{12}", first)
    assert settle_ids([members[::-1]], {}) == (first,)
    assert settle_ids([members[:-1]], {}) != (first,)


def test_a_campaign_that_grows_or_shrinks_keeps_its_id() -> None:
    before = {"cmp_old": set(named("a", 10))}
    assert settle_ids([named("a", 10) + named("b", 40)], before) == ("cmp_old",)
    assert settle_ids([named("a", 3)], before) == ("cmp_old",)


def test_when_a_campaign_falls_apart_the_larger_part_keeps_the_id() -> None:
    before = {"cmp_old": set(named("a", 10))}
    small, large = settle_ids([named("a", 10)[:3], named("a", 10)[3:]], before)
    assert large == "cmp_old"
    assert small not in {"cmp_old", large}


def test_when_campaigns_merge_the_larger_one_lives_on() -> None:
    before = {"cmp_small": set(named("a", 3)), "cmp_large": set(named("b", 6))}
    assert settle_ids([named("a", 3) + named("b", 6)], before) == ("cmp_large",)


def test_ids_are_given_so_that_most_images_keep_theirs() -> None:
    # cmp_x shares 6 with the first group and 5 with the second; cmp_y shares 5 with the first only
    x, y = named("x", 11), named("y", 5)
    before = {"cmp_x": set(x), "cmp_y": set(y)}
    assert settle_ids([x[:6] + y, x[6:]], before) == ("cmp_y", "cmp_x")


def test_sharing_a_few_images_is_not_being_the_same_campaign() -> None:
    before = {"cmp_old": set(named("a", 10))}
    (found,) = settle_ids([named("a", 4) + named("b", 30)], before)
    assert found != "cmp_old"


def test_a_new_group_never_takes_the_id_of_a_living_campaign() -> None:
    (born,) = settle_ids([named("a", 4)], {})
    # that campaign now consists of other images, and its first members are a group of their own again
    before = {born: set(named("b", 9))}
    kept, fresh = settle_ids([named("b", 9), named("a", 4)], before)
    assert kept == born
    assert fresh != born
    assert re.fullmatch(r"cmp_[a-z2-7]{12}", fresh)


def test_ids_do_not_depend_on_the_order_of_groups() -> None:
    shuffled = random.Random(0)
    images = named("i", 300)
    before = {f"cmp_{number}": set(images[number * 10 : number * 10 + 10]) for number in range(30)}
    shuffled.shuffle(images)
    groups = [images[start : start + 12] for start in range(0, 300, 12)]
    expected = dict(zip(map(tuple, groups), settle_ids(groups, before), strict=True))
    for _ in range(5):
        shuffled.shuffle(groups)
        assert dict(zip(map(tuple, groups), settle_ids(groups, before), strict=True)) == expected
    assert len(set(expected.values())) == len(groups)
