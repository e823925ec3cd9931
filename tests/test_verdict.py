"""What a verdict says, and above all what it does not say."""

from datetime import UTC, datetime

import pytest

from indexer.catalog.records import CurrentLabel, Image, ImageDetails
from indexer.relations import Band, RelationScore
from indexer.verdict import (
    LIMIT_NO_MATCH,
    LIMIT_UNTRAINED,
    DetectorFinding,
    IndexReference,
    Match,
    Reading,
    Verdict,
    decide,
    read_detector,
)
from indexer.vocabulary import Direction, LabelSource, LabelValue, Outcome, Relation, Technique

NOW = datetime(2026, 5, 1, tzinfo=UTC)
INDEX = IndexReference(snapshot="snap", size=3, fingerprint="f" * 64)
MEASURES = {
    Relation.SAME_FILE: ("sha256", 1.0, 1.0, Band.IDENTICAL),
    Relation.SAME_PICTURE: ("pdq_distance", 12.0, 31.0, Band.NEAR_IDENTICAL),
    Relation.SAME_ORIGIN: ("cls_cosine", 0.95, 0.9, Band.UNCALIBRATED),
}


def match(relation: Relation, label: LabelValue, *, disputed: bool = False, holds: bool = True) -> Match:
    measure, value, threshold, band = MEASURES[relation]
    current = CurrentLabel(label, Technique.UNKNOWN, None, disputed, LabelSource.HUMAN, "M. Duval")
    image = Image("a" * 64, 10, "JPEG", 20, 20, "RGB", 1, (), "0" * 64, 90, "pdq", current, NOW)
    score = RelationScore(relation, measure, value, threshold, holds, band)
    return Match(ImageDetails(image, (), (), (), (), (), ()), relation, holds, (score,))


def finding(*, trained: bool) -> DetectorFinding:
    p_fake = 0.98 if trained else None
    return DetectorFinding("d", "f" * 64, trained, (3.9,), p_fake, read_detector(trained, p_fake))


def verdict(*matches: Match, trained: bool = True, pictures: bool = True, any_known_fake: bool = True) -> Verdict:
    return decide(
        matches,
        finding(trained=trained),
        likeness_assessed=trained,
        pictures_assessed=pictures,
        any_known_fake=any_known_fake,
        index=INDEX,
        input_sha256="b" * 64,
        decided_at=NOW,
    )


@pytest.mark.parametrize("relation", [Relation.SAME_FILE, Relation.SAME_PICTURE])
def test_identity_with_a_known_fake_is_a_known_fake_match_and_names_who_labelled_it(relation: Relation) -> None:
    said = verdict(match(relation, LabelValue.FAKE))
    assert said.outcome is Outcome.KNOWN_FAKE_MATCH
    assert "M. Duval" in said.summary
    assert said.matched[0].label_source == "M. Duval"
    assert said.evidence[0].direction is Direction.SUPPORTS


def test_likeness_alone_is_never_called_a_known_fake() -> None:
    said = verdict(match(Relation.SAME_ORIGIN, LabelValue.FAKE))
    assert said.outcome is Outcome.SIMILAR_TO_KNOWN_FAKE
    assert said.calibration is None
    assert said.verbal_band is None


def test_a_high_detector_score_alone_does_not_make_a_known_fake() -> None:
    said = verdict()
    assert said.outcome is Outcome.NO_MATCH_FOUND
    assert [piece.direction for piece in said.evidence] == [Direction.NEUTRAL]


def test_no_match_says_that_it_does_not_mean_authentic() -> None:
    said = verdict()
    assert LIMIT_NO_MATCH in said.limitations
    assert "not make the picture authentic" in said.summary


def test_what_does_not_hold_decides_nothing() -> None:
    assert verdict(match(Relation.SAME_ORIGIN, LabelValue.FAKE, holds=False)).outcome is Outcome.NO_MATCH_FOUND


@pytest.mark.parametrize("relation", [Relation.SAME_FILE, Relation.SAME_PICTURE])
def test_identity_with_an_authentic_image_is_no_match_and_opposes(relation: Relation) -> None:
    said = verdict(match(relation, LabelValue.AUTHENTIC))
    assert said.outcome is Outcome.NO_MATCH_FOUND
    assert said.evidence[0].direction is Direction.OPPOSES


@pytest.mark.parametrize(
    "matches",
    [
        (match(Relation.SAME_FILE, LabelValue.UNKNOWN, disputed=True),),
        (match(Relation.SAME_FILE, LabelValue.UNKNOWN),),
        (match(Relation.SAME_PICTURE, LabelValue.FAKE), match(Relation.SAME_PICTURE, LabelValue.AUTHENTIC)),
    ],
    ids=["disputed", "unlabelled", "both the fake and its source"],
)
def test_contradicting_or_missing_labels_leave_it_to_a_person(matches: tuple[Match, ...]) -> None:
    assert verdict(*matches).outcome is Outcome.INCONCLUSIVE


def test_an_unlabelled_copy_beside_a_known_fake_contradicts_nobody() -> None:
    said = verdict(match(Relation.SAME_PICTURE, LabelValue.FAKE), match(Relation.SAME_PICTURE, LabelValue.UNKNOWN))
    assert said.outcome is Outcome.KNOWN_FAKE_MATCH


def test_the_same_file_decides_before_the_same_picture() -> None:
    said = verdict(match(Relation.SAME_FILE, LabelValue.AUTHENTIC), match(Relation.SAME_PICTURE, LabelValue.FAKE))
    assert said.outcome is Outcome.NO_MATCH_FOUND
    assert "near-identical picture is a known fake" in said.summary


def test_an_untrained_detector_yields_nothing_but_not_assessable() -> None:
    said = verdict(trained=False)
    assert said.outcome is Outcome.NOT_ASSESSABLE
    assert LIMIT_UNTRAINED in said.limitations
    assert read_detector(False, 0.99) is Reading.NOT_ASSESSABLE
    assert not [piece for piece in said.evidence if piece.measure == "p_fake"]


def test_an_empty_catalogue_is_not_assessable_rather_than_no_match() -> None:
    assert verdict(any_known_fake=False).outcome is Outcome.NOT_ASSESSABLE


def test_a_picture_that_could_not_be_compared_at_all_is_not_assessable() -> None:
    assert verdict(trained=False, pictures=False).outcome is Outcome.NOT_ASSESSABLE
