"""What a cosine means is measured on pairs as a search finds them, and promised only where it held."""

import numpy as np
import pytest

from indexer.calibration import OriginMap
from indexer.calibration.fit import Material
from indexer.calibration.origin import NEIGHBOURS, NotMeasurableError, neighbour_pairs, origin_map
from tests.calibration.planted_scores import with_origins


def measured(made: Material, suggested: float = 0.8, confirmed: float = 0.95) -> OriginMap:
    return origin_map(
        made.embeddings,
        made.fake,
        made.groups,
        made.generators,
        suggested=suggested,
        confirmed=confirmed,
        seed=0,
    )


def fresh_precision(made: Material, cut: float) -> float:
    names = np.array([-1 if name is None else int(name.split()[1]) for name in made.generators])
    fakes = np.flatnonzero(made.fake)
    pairs = neighbour_pairs(made.embeddings, np.arange(len(names)), fakes, names, "generator", seed=0)
    return float(pairs.same[pairs.cosine >= cut].mean())


def test_bands_hold_their_precision_on_origins_never_seen() -> None:
    found = measured(with_origins(25, 12, blur=1.1, seed=1))
    assert found.suggested is not None
    assert found.confirmed is not None
    assert found.suggested.min_cosine <= found.confirmed.min_cosine
    assert found.confirmed.held_out.low >= 0.95
    fresh = with_origins(25, 12, blur=1.1, seed=2)
    assert fresh_precision(fresh, found.suggested.min_cosine) >= 0.8
    assert fresh_precision(fresh, found.confirmed.min_cosine) >= 0.95


def test_the_probability_rises_with_the_cosine_from_rare_to_nearly_certain() -> None:
    found = measured(with_origins(25, 12, blur=1.1))
    probabilities = [found.probability(cosine) for cosine in np.linspace(-1, 1, 50)]
    assert probabilities == sorted(probabilities)
    assert probabilities[0] < 0.1
    assert 0.9 < probabilities[-1] < 1
    assert found.check.ece.value < 0.1


def test_embeddings_that_say_nothing_get_no_band() -> None:
    found = measured(with_origins(10, 20, blur=100.0))
    assert (found.suggested, found.confirmed) == (None, None)
    assert found.stated_confirmed == 0.95
    assert found.probability(0.9) < 0.5


def test_the_base_rate_is_that_of_a_search() -> None:
    made = with_origins(10, 20, blur=0.3, authentic=200)
    found = measured(made)
    assert found.pairs == 400 * NEIGHBOURS
    assert found.base_rate == pytest.approx(0.5)  # half of the queries are authentic and share no generator


def test_groups_come_before_generators_and_the_record_says_which() -> None:
    assert measured(with_origins(20, 10, blur=0.5)).kind == "generator"
    assert measured(with_origins(20, 10, blur=0.5, kind="groups")).kind == "group"


def test_pictures_of_unknown_generator_take_no_part() -> None:
    made = with_origins(20, 10, blur=0.5, authentic=0)
    unknown = (*([None] * 100), *made.generators[100:])
    assert (
        origin_map(made.embeddings, made.fake, made.groups, unknown, suggested=0.8, confirmed=0.95, seed=0).pictures
        == 100
    )


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (with_origins(0, 0, blur=1.0), "no two fakes name the same group or generator"),
        (with_origins(40, 1, blur=1.0), "no two fakes name the same group or generator"),
        (with_origins(2, 2, blur=1.0, authentic=0), "at least 20"),
        (with_origins(1, 30, blur=1.0), "all pictures are of one generator"),
    ],
    ids=["no origins", "nothing shared", "few pairs", "one generator"],
)
def test_what_cannot_be_measured_says_why(made: Material, why: str) -> None:
    with pytest.raises(NotMeasurableError, match=why):
        measured(made)
