"""What a verdict says of a copy that local features verified, and of a part that two pictures share."""

from dataclasses import replace

import pytest

from indexer.copies.verification.overlap import Overlap
from indexer.verdict.alterations import alteration_words
from indexer.verdict.limitations import LIMIT_COPIES_LACKING, LIMIT_LIKELY_COPY
from indexer.verdict.relations import Band, likely_copy, overlapping
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import Outcome, Relation
from tests.verdict.test_outcomes import FAKE, PART, PERSON, PICTURE, decided, likely, match

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
WHOLE = Overlap(
    relation=PICTURE,
    to_known=IDENTITY,
    mirrored=False,
    turned=0.4,
    scale=1.0,
    inliers=41,
    matches=60,
    query_box=(0, 0, 200, 100),
    known_box=(0, 0, 200, 100),
    query_share=1.0,
    known_share=0.99,
)
CROPPED = replace(WHOLE, mirrored=True, query_share=0.8, known_share=0.64, known_box=(20, 10, 180, 90))
PASTED = replace(WHOLE, relation=PART, inliers=14, query_share=0.312, known_share=0.204)
THRESHOLDS = Thresholds(31, 50, 0.9, trained=True, min_copy_score=0.4)


@pytest.mark.parametrize(
    ("overlap", "words"),
    [
        (WHOLE, ""),
        (CROPPED, "cropped to 64 %, mirrored and with a caption, bars or a frame added"),
        (replace(WHOLE, turned=-15.2), "turned by 15°"),
        (replace(WHOLE, known_share=0.5, turned=90.0), "cropped to 50 % and turned by 90°"),
        (replace(WHOLE, query_share=0.3), "set into a larger picture, of which it fills 30 %"),
    ],
)
def test_an_overlap_says_what_was_done_to_the_known_picture(overlap: Overlap, words: str) -> None:
    assert alteration_words(overlap) == words


def test_a_verified_copy_of_a_known_fake_is_a_match_and_says_how_it_was_altered() -> None:
    copy = replace(match(PICTURE, (FAKE, PERSON)), scores=(overlapping(CROPPED),), overlap=CROPPED)
    said = decided([copy])
    assert said.outcome is Outcome.KNOWN_FAKE_MATCH
    assert said.summary == (
        "The same picture as a known fake, cropped to 64 %, mirrored and with a caption, bars or a frame added; "
        "labelled by M. Duval."
    )
    (evidence,) = said.evidence
    assert (evidence.measure, evidence.value) == ("overlap", 41)
    assert evidence.statement.startswith(
        "41 local features lie as in aaaaaaaaaaaaaaaa, labelled fake by M. Duval (crop"
    )
    assert "80 % of this picture at 200 x 100 from 0, 0" in evidence.statement
    assert "64 % of the known one at 160 x 80 from 20, 10" in evidence.statement


def test_a_verified_copy_that_nothing_was_done_to_is_said_to_be_verified() -> None:
    copy = replace(match(PICTURE, (FAKE, PERSON)), scores=(overlapping(WHOLE),), overlap=WHOLE)
    assert decided([copy]).summary.startswith("The same picture as a known fake, verified by features that lie alike;")


def test_a_shared_part_says_how_much_of_each_picture_it_covers() -> None:
    part = replace(match(PART, (FAKE, PERSON)), scores=(overlapping(PASTED),), overlap=PASTED)
    said = decided([part])
    assert said.outcome is Outcome.SHARES_PART_WITH_KNOWN_FAKE
    assert said.summary == (
        "Part of this picture is in a known fake, labelled by M. Duval: it covers 31 % of this picture and 20 % of the "
        "known one."
    )


def test_an_unverified_copy_score_claims_a_likely_copy_from_a_measured_threshold_on_only() -> None:
    assert likely_copy(0.4, THRESHOLDS, None).band is Band.LIKELY_COPY
    assert likely_copy(0.4, THRESHOLDS, None).holds
    assert not likely_copy(0.39, THRESHOLDS, None).holds
    assert not likely_copy(1.9, replace(THRESHOLDS, min_copy_score=None), None).holds, "nobody measured it"
    assert not likely_copy(0.9, THRESHOLDS, None, tells=False).holds
    refuted = likely_copy(0.9, THRESHOLDS, PASTED)
    assert (refuted.holds, refuted.band) == (False, Band.SHARES_PART)
    assert likely_copy(0.9, THRESHOLDS, WHOLE).relation is Relation.SAME_PICTURE


def test_a_likely_copy_says_how_often_unrelated_pictures_score_as_high() -> None:
    said = decided([likely((FAKE, PERSON))], false_matches=0.001)
    assert f"{LIMIT_LIKELY_COPY} As measured, at most 0.10% of unrelated pictures score as high." in said.limitations


def test_where_images_are_not_prepared_for_it_one_limit_says_so() -> None:
    assert LIMIT_COPIES_LACKING in decided([], lacking=True).limitations
    assert LIMIT_COPIES_LACKING not in decided([]).limitations
