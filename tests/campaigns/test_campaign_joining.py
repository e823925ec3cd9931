"""Which campaign a new image would join follows from its neighbours alone."""

import itertools

import pytest

from indexer.campaigns.joining.suggestions import CopyHit, JoiningRule, OriginHit, Suggestion, suggest
from indexer.campaigns.reasons import reason_words
from indexer.catalog.records.campaigns import Reason
from indexer.vocabulary import ReasonKind

RULE = JoiningRule(min_cosine=0.9, max_bits=31)
ONE, OTHER = "cmp_one", "cmp_other"


def digest(number: int) -> str:
    return f"{number:064x}"


def found(suggestion: Suggestion | None) -> Suggestion:
    assert suggestion is not None
    return suggestion


def test_an_image_joins_the_campaign_of_its_neighbours_and_says_why() -> None:
    campaign_of = {digest(1): ONE, digest(2): ONE, digest(3): OTHER}
    origins = [OriginHit(digest(3), 0.91), OriginHit(digest(1), 0.97), OriginHit(digest(2), 0.95)]
    made = found(suggest(campaign_of, RULE, origins=origins))
    assert made.campaign_id == ONE
    assert 0.5 < made.strength < 1
    assert reason_words(made.reasons[0]) == f"same origin, cosine 0.97 (uncalibrated) (to {digest(1)[:12]})"
    assert len(made.reasons) == 2


def test_a_copy_goes_where_its_picture_is_whatever_embeddings_say() -> None:
    campaign_of = {digest(1): ONE, digest(2): OTHER, digest(3): OTHER}
    made = found(
        suggest(
            campaign_of,
            RULE,
            copies=[CopyHit(digest(1), 12, mirrored=True)],
            origins=[OriginHit(digest(2), 0.99), OriginHit(digest(3), 0.99)],
        )
    )
    assert made == Suggestion(
        ONE, round(1 - 12 / 256, 4), (Reason(ReasonKind.SAME_PICTURE, digest(1), 12.0, mirrored=True),)
    )


def test_the_same_recipe_is_evidence_without_a_trained_detector_and_embeddings_are_not() -> None:
    untrained = JoiningRule(min_cosine=0.9, max_bits=31, trained=False)
    campaign_of = {digest(1): ONE, digest(2): OTHER}
    assert suggest(campaign_of, untrained, origins=[OriginHit(digest(2), 0.99)]) is None
    made = found(suggest(campaign_of, untrained, same_recipe=[digest(1)], origins=[OriginHit(digest(2), 0.99)]))
    assert (made.campaign_id, made.strength) == (ONE, 1.0)
    assert reason_words(made.reasons[0]).startswith("same model, seed and prompt")


@pytest.mark.parametrize(
    ("copies", "origins"),
    [
        ([], []),
        ([CopyHit(digest(1), 32)], [OriginHit(digest(1), 0.89)]),
        ([CopyHit(digest(9), 2)], []),
        # most of its neighbours belong to nothing
        ([], [OriginHit(digest(7), 0.97), OriginHit(digest(8), 0.97), OriginHit(digest(1), 0.9)]),
    ],
)
def test_without_enough_evidence_nothing_is_suggested(copies: list[CopyHit], origins: list[OriginHit]) -> None:
    assert suggest({digest(1): ONE}, RULE, copies=copies, origins=origins) is None


def test_neither_the_order_nor_repeated_hits_change_the_suggestion() -> None:
    campaign_of = {digest(1): ONE, digest(2): OTHER, digest(3): ONE}
    hits = [OriginHit(digest(number), 0.95) for number in (1, 2, 3)]
    made = {suggest(campaign_of, RULE, origins=[*order, *order]) for order in itertools.permutations(hits)}
    assert len(made) == 1
    assert found(made.pop()).campaign_id == ONE
