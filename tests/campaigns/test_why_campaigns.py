"""Why images are one campaign: links, closeness, what they share, how they spread, what is near."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from indexer.calibration import OriginMap, Quality
from indexer.campaigns.why import Bounds, Exemplars, LinkKind, Nearness, Traces, explain, spread_of
from indexer.campaigns.why.nearness import hash_distances
from indexer.campaigns.why.traits import against_catalogue
from indexer.catalog.campaigns.exemplars import Exemplar
from indexer.estimates import Estimate
from indexer.imaging.hashing import hamming
from indexer.sightings import Sighting
from indexer.vocabulary import Trait
from tests.campaigns.shelves import origin

BOUNDS = Bounds(max_distance=31, min_cosine=0.9, origin=None)
NOBODY = Exemplars((), (), ())
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def flipped(pdq: bytes, bits: int) -> bytes:
    return (int.from_bytes(pdq) ^ ((1 << bits) - 1)).to_bytes(32)


def noise(seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(32)


def traces(name: str, pdq: bytes | None = None, vector: np.ndarray | None = None, **more: object) -> Traces:
    kept = None if vector is None else vector.astype(np.float32)
    return Traces(name, pdq, kept, more.get("recipe"), more.get("models", frozenset()))  # type: ignore[arg-type]


def calibrated() -> OriginMap:
    sure = Quality(*[Estimate(0.1, 0.0, 0.2)] * 3)
    return OriginMap("group", ((0.5, 0.1), (0.98, 0.9)), 0.5, 10, 9, 3, 90, sure, 0.8, 0.95, None, None)


@given(st.lists(st.one_of(st.none(), st.binary(min_size=32, max_size=32)), min_size=1, max_size=6))
def test_hashes_are_compared_bit_by_bit_and_mirrored(hashes: list[bytes | None]) -> None:
    plain, _ = hash_distances(hashes, hashes)
    for one, first in enumerate(hashes):
        for other, second in enumerate(hashes):
            expected = 256 if first is None or second is None else hamming(first, second)
            assert plain[one, other] == expected


def test_every_kind_of_link_is_named_by_its_strongest_evidence() -> None:
    pdq = noise(1)
    mirrored = bytes(byte ^ 0b01010101 for byte in pdq)
    recipe = ("hash", "seed", "prompt")
    images = [
        traces("a", pdq, origin(1, 0)),
        traces("b", flipped(pdq, 12), origin(1, 1)),  # a copy of a
        traces("c", mirrored, origin(2, 0), recipe=recipe),  # a mirrored copy of a
        traces("d", noise(4), origin(1, 2)),  # of one origin with a and b
        traces("e", noise(5), origin(3, 0), recipe=recipe, models=frozenset({"m"})),  # made like c
        traces("f", noise(6), origin(4, 0), models=frozenset({"m"})),  # by the model of e
        traces("g", None, None),  # linked to nothing
    ]
    nearness = Nearness(images, BOUNDS)
    links = nearness.backbone()
    kinds = {frozenset((link.first, link.second)): link for link in links}
    assert len(links) == len(images) - 1
    assert [link.kind for link in links] == sorted((link.kind for link in links), key=list(LinkKind).index)
    assert kinds[frozenset("ab")].pdq_distance == 12
    assert kinds[frozenset("ac")].mirrored
    assert kinds[frozenset("ac")].pdq_distance == 0
    assert kinds[frozenset("ce")].kind is LinkKind.SAME_RECIPE
    assert kinds[frozenset("ef")].kind is LinkKind.SAME_MODEL
    assert {link.kind for link in links if "d" in (link.first, link.second)} == {LinkKind.SAME_ORIGIN}
    assert links[-1].kind is LinkKind.NONE
    assert links[-1].cosine is None
    assert nearness.pictures() == 5
    assert sum(nearness.pairs().values()) == 21


def test_the_weakest_link_says_how_many_images_hang_on_it() -> None:
    left = [traces(f"l{n}", flipped(noise(1), n), origin(1, n)) for n in range(5)]
    right = [traces(f"r{n}", flipped(noise(2), n), origin(2, n)) for n in range(3)]
    why = explain("cmp_a", left + right, [True] + [False] * 7, BOUNDS, NOBODY)
    weakest = why.weakest[0]
    assert {weakest.first[0], weakest.second[0]} == {"l", "r"}
    assert weakest.splits_off == 3
    assert why.strongest[0].kind is LinkKind.SAME_PICTURE
    assert why.pictures == 2
    assert not {*why.strongest} & {*why.weakest}


def test_a_calibration_gives_cosines_a_probability_and_none_gives_none() -> None:
    images = [traces("a", noise(1), origin(1, 0)), traces("b", noise(2), origin(1, 1))]
    (plain,) = Nearness(images, BOUNDS).backbone()
    (measured,) = Nearness(images, Bounds(31, 0.9, calibrated())).backbone()
    assert plain.probability is None
    assert measured.probability == pytest.approx(0.9)
    assert measured.cosine == plain.cosine


@pytest.mark.parametrize("images", [[], [traces("a")], [traces("a"), traces("b")]])
def test_few_images_without_anything_to_compare_are_explained_without_figures(images: list[Traces]) -> None:
    why = explain("cmp_a", images, [True] * len(images), BOUNDS, NOBODY)
    assert why.compared == why.pictures == len(images)
    assert why.closeness.cohesion is None
    assert why.related == ()


def test_related_campaigns_are_the_nearest_by_exemplars_and_never_itself() -> None:
    rows = [("cmp_near", origin(1, 5)), ("cmp_far", origin(9, 0)), ("cmp_self", origin(1, 0)), ("cmp_near", None)]
    every = Exemplars(
        tuple(Exemplar(name, name, 3, 1, f"{name} exemplar", bytes(32), 100) for name, _ in rows),
        tuple(None if vector is None else vector.astype(np.float32) for _, vector in rows),
        (None,) * len(rows),
    )
    why = explain("cmp_self", [traces("a", None, origin(1, 0)), traces("b")], [True, False], BOUNDS, every)
    assert [one.campaign for one in why.related] == ["cmp_near", "cmp_far"]
    assert why.related[0].similarity > 0.97 > why.related[1].similarity
    assert why.related[0].exemplar == "a"
    assert why.closeness.to_others == why.related[0].similarity


def test_without_embeddings_campaigns_are_compared_by_hash() -> None:
    pdq = noise(1)
    every = Exemplars((Exemplar("cmp_b", "b", 3, 1, "other", b"", 100),), (None,), (flipped(pdq, 40),))
    why = explain("cmp_a", [traces("a", pdq), traces("b", flipped(pdq, 8))], [True, False], BOUNDS, every)
    assert why.related[0].pdq_distance == 40
    assert why.closeness.measure == "pdq"
    assert why.closeness.cohesion == pytest.approx(1 - 8 / 128)


def test_a_trait_stands_out_only_when_it_is_rarer_elsewhere() -> None:
    found = {
        one.value: one
        for one in against_catalogue(
            [(Trait.PLATFORM, "rare", 8, 2), (Trait.PLATFORM, "common", 8, 80), (Trait.LANGUAGE, "few", 2, 20)], 10, 100
        )
    }
    assert [one.over_represented for one in found.values()] == [True, False, False]
    assert found["rare"].p == pytest.approx(hypergeom.sf(7, 110, 10, 10), rel=1e-2)
    assert all(one.adjusted_p >= one.p for one in found.values() if one.p is not None and one.adjusted_p is not None)


def test_without_other_fakes_nothing_can_stand_out() -> None:
    (only,) = against_catalogue([(Trait.PLATFORM, "all", 3, 0)], 3, 0)
    assert only.p is None
    assert not only.over_represented


def seen(hours: float | None, platform: str | None = None) -> Sighting:
    at = None if hours is None else NOON + timedelta(hours=hours)
    return Sighting(None, None, platform, None, at, recorded_at=NOON)


def test_a_course_tells_first_last_busiest_and_how_it_went_round() -> None:
    spread = spread_of([[seen(0, "X"), seen(30, "Y")], [seen(31, "X")], [seen(None, "Z")], []])
    assert (spread.first_seen, spread.last_seen) == (NOON, NOON + timedelta(hours=31))
    assert (spread.sightings, spread.undated) == (4, 1)
    assert (spread.busiest_day, spread.on_busiest_day) == (date(2026, 3, 3), 2)
    assert [(one.platform, one.at) for one in spread.platforms] == [("X", NOON), ("Y", NOON + timedelta(hours=30))]
    assert [(step.sightings, step.images) for step in spread.growth] == [(1, 1), (3, 2)]
    assert spread.half_by == NOON + timedelta(hours=30)


def test_nothing_dated_has_a_course_without_times() -> None:
    spread = spread_of([[seen(None)], []])
    assert (spread.sightings, spread.undated, spread.first_seen, spread.growth) == (1, 1, None, ())


def test_drawings_are_linked_and_near_by_their_hashes_and_never_by_embeddings_alone() -> None:
    def drawing(name: str, pdq: bytes) -> Traces:
        return Traces(name, pdq, origin(1, 0).astype(np.float32), None, frozenset(), content=40)

    near, far = flipped(noise(1), 60), noise(2)
    compared = Nearness([drawing("a", noise(1)), drawing("b", near), drawing("c", far)], BOUNDS)
    links = {(link.first, link.second): link for link in compared.backbone()}
    assert links["a", "b"].kind is LinkKind.SAME_ORIGIN
    assert links["a", "b"].cosine == 1.0
    apart = [link for pair, link in links.items() if "c" in pair]
    assert [(link.kind, link.cosine) for link in apart] == [(LinkKind.NONE, None)]
    assert compared.pairs()[LinkKind.SAME_ORIGIN] == 1
    others = [("cmp_b", near), ("cmp_c", far)]
    every = Exemplars(
        tuple(Exemplar(name, name, 3, 1, name, pdq, 100, 40) for name, pdq in others),
        (origin(1, 0).astype(np.float32),) * 2,
        tuple(pdq for _, pdq in others),
    )
    why = explain("cmp_a", [drawing("a", noise(1))], [True], BOUNDS, every)
    assert [one.campaign for one in why.related] == ["cmp_b"]
