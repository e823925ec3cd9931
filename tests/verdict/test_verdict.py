"""What a verdict says, and above all what it does not say."""

from dataclasses import replace
from datetime import UTC, datetime
from math import exp

import numpy as np
import pytest

from indexer.calibration import (
    AbstainZone,
    Calibration,
    CalibrationVersion,
    Estimate,
    Method,
    OriginBand,
    OriginMap,
    Quality,
    ScoreCheck,
    ScoreHead,
    ScoreMap,
)
from indexer.catalog.records.images import Image, ImageDetails
from indexer.catalog.records.labels import CurrentLabel
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.provenance.recording import LIMIT_SELF_DECLARED, LIMIT_SIGNATURE
from indexer.verdict.case import Case, IndexReference
from indexer.verdict.deciding import Verdict, decide
from indexer.verdict.findings import DetectorFinding, Reading, find, verbal_band
from indexer.verdict.limitations import LIMIT_BUNDLED, LIMIT_NO_MATCH, LIMIT_SCORE, LIMIT_UNCALIBRATED, LIMIT_UNTRAINED
from indexer.verdict.matches import Match
from indexer.verdict.relations import Band, RelationScore, same_origin
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import (
    Direction,
    EvidenceKind,
    LabelSource,
    LabelValue,
    Outcome,
    ProvenanceKind,
    Relation,
    Technique,
)

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
    return Match(ImageDetails(image, (), (), (), (), (), (), (), None), relation, holds, (score,))


SURE = Estimate(0.1, 0.05, 0.2)
QUALITY = Quality(SURE, SURE, SURE)
ORIGIN = OriginMap(
    kind="generator",
    knots=((0.5, 0.1), (1.0, 0.9)),
    base_rate=0.4,
    neighbours=10,
    pictures=700,
    origins=12,
    pairs=7_000,
    check=QUALITY,
    stated_suggested=0.8,
    stated_confirmed=0.95,
    suggested=OriginBand(0.8, 0.7, Estimate(0.85, 0.81, 0.9), 3_000),
    confirmed=OriginBand(0.95, 0.9, Estimate(0.97, 0.95, 0.99), 1_000),
)
CALIBRATION = Calibration(
    detector="d",
    fingerprint="f" * 64,
    data_set="collection desk-2026",
    authentic=500,
    fake=300,
    groups=None,
    requested_method="auto",
    head=ScoreHead("sigmoid", 0),
    scores=ScoreMap(Method.TEMPERATURE, 0.5, 0.0),
    check=ScoreCheck(5, QUALITY, QUALITY, (), ()),
    zone=AbstainZone(0.05, 0.05, 3.0, -1.0, Estimate(0.032, 0.018, 0.05), Estimate(0.03, 0.01, 0.05), 500.0, 300.0),
    same_origin=ORIGIN,
    origin_missing=None,
    seed=0,
    made_with="0.1.0",
    measured_at=datetime(2026, 4, 2, tzinfo=UTC),
)
CALIBRATED = CalibrationVersion(3, None, CALIBRATION)


def finding(
    *, trained: bool, logit: float = 3.9, calibration: CalibrationVersion | None = None, name: str = "d"
) -> DetectorFinding:
    p_fake = 1 / (1 + exp(-logit))
    return find(name, "f" * 64, trained=trained, logits=(logit,), p_fake=p_fake, calibration=calibration)


def verdict(
    *matches: Match,
    trained: bool = True,
    pictures: bool = True,
    any_known_fake: bool = True,
    said: DetectorFinding | None = None,
    calibration: CalibrationVersion | None = None,
) -> Verdict:
    return decide(
        Case(
            matches=matches,
            finding=said or finding(trained=trained, calibration=calibration),
            calibration=calibration,
            likeness_assessed=trained,
            pictures_assessed=pictures,
            any_known_fake=any_known_fake,
            index=INDEX,
            input_sha256="b" * 64,
            decided_at=NOW,
        )
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
    assert "a copy of the picture is a known fake" in said.summary


def test_an_untrained_detector_yields_nothing_but_not_assessable() -> None:
    said = verdict(trained=False)
    assert said.outcome is Outcome.NOT_ASSESSABLE
    assert LIMIT_UNTRAINED in said.limitations
    assert finding(trained=False, logit=9.0, calibration=CALIBRATED).reading is Reading.NOT_ASSESSABLE
    assert not [piece for piece in said.evidence if piece.measure == "p_fake"]


def test_an_empty_catalogue_is_not_assessable_rather_than_no_match() -> None:
    assert verdict(any_known_fake=False).outcome is Outcome.NOT_ASSESSABLE


def test_a_picture_that_could_not_be_compared_at_all_is_not_assessable() -> None:
    assert verdict(trained=False, pictures=False).outcome is Outcome.NOT_ASSESSABLE


def alike(cosine: float, label: LabelValue = LabelValue.FAKE, origin: OriginMap | None = ORIGIN) -> Match:
    """A match by a cosine that was measured with `origin`."""
    a, b = np.zeros(384, np.float32), np.zeros(384, np.float32)
    a[0], b[0], b[1] = 1.0, cosine, (1 - cosine**2) ** 0.5
    suggested = None if origin is None or origin.suggested is None else origin.suggested.min_cosine
    smallest = 0.9 if origin is None else suggested
    score = same_origin(a, b, Thresholds(31, 50, smallest, trained=True, origin=origin))
    return replace(match(Relation.SAME_ORIGIN, label, holds=score.holds), scores=(score,))


def score_sentence(said: Verdict) -> str:
    return next(piece.statement for piece in said.evidence if piece.measure == "p_fake")


def test_an_uncalibrated_score_carries_no_word_that_sounds_like_a_probability() -> None:
    said = verdict()
    sentence = score_sentence(said)
    assert "(uncalibrated)" in sentence
    assert not any(word in sentence for word in ("probab", "p(fake)", "likely", "%", "chance"))
    assert (said.calibration, said.verbal_band) == (None, None)
    assert {LIMIT_SCORE, LIMIT_UNCALIBRATED} <= set(said.limitations)
    assert finding(trained=True).calibrated_p_fake is None


def test_a_calibrated_score_says_on_what_it_was_calibrated_and_how_often_it_is_wrong() -> None:
    said = verdict(calibration=CALIBRATED)
    sentence = score_sentence(said)
    assert "calibrated on 800 pictures of collection desk-2026 (version 3, 2026-04-02)" in sentence
    assert "a probability of being fake of 0.88 where 38% of pictures are" in sentence
    assert "leans fake; authentic pictures did so in 3.2% of cases (95 % interval 1.8% to 5.0%)" in sentence
    assert said.calibration is not None
    assert (said.calibration.version, said.calibration.n) == (3, 800)
    assert (said.calibration.false_positive_rate, said.calibration.interval) == (0.032, (0.018, 0.05))
    assert said.verbal_band == "very likely fake"
    assert not {LIMIT_SCORE, LIMIT_UNCALIBRATED} & set(said.limitations)
    assert "signal, not proof" in said.limitations[0]
    assert said.outcome is Outcome.NO_MATCH_FOUND


@pytest.mark.parametrize(
    ("logit", "reading", "band"),
    [
        (3.1, Reading.LEANS_FAKE, "very likely fake"),
        (3.0, Reading.INCONCLUSIVE, "inconclusive"),
        (-1.0, Reading.INCONCLUSIVE, "inconclusive"),
        (-1.1, Reading.LEANS_AUTHENTIC, "unlikely to be fake"),
        (-9.0, Reading.LEANS_AUTHENTIC, "very unlikely to be fake"),
    ],
)
def test_between_the_thresholds_a_score_decides_nothing(logit: float, reading: Reading, band: str) -> None:
    said = finding(trained=True, logit=logit, calibration=CALIBRATED)
    assert (said.reading, verbal_band(said)) == (reading, band)


def test_without_enough_fakes_nothing_leans_authentic() -> None:
    zone = replace(CALIBRATION.zone, authentic_below=None, false_negative_rate=None)
    active = replace(CALIBRATED, calibration=replace(CALIBRATION, zone=zone))
    said = finding(trained=True, logit=-50.0, calibration=active)
    assert said.reading is Reading.INCONCLUSIVE
    assert said.zone is not None
    assert said.zone.leans_authentic_below is None


def test_a_calibrated_score_alone_never_makes_a_known_fake() -> None:
    said = verdict(said=finding(trained=True, logit=50.0, calibration=CALIBRATED), calibration=CALIBRATED)
    assert said.outcome is Outcome.NO_MATCH_FOUND
    assert {piece.direction for piece in said.evidence} == {Direction.NEUTRAL}


@pytest.mark.parametrize(
    ("cosine", "band", "holds"),
    [
        (0.95, Band.CONFIRMED, True),
        (0.75, Band.SUGGESTED, True),
        (0.65, Band.BELOW_THRESHOLD, False),
    ],
)
def test_likeness_gets_the_band_whose_precision_it_met_and_its_probability(
    cosine: float, band: Band, holds: bool
) -> None:
    score = alike(cosine).scores[0]
    assert (score.band, score.holds) == (band, holds)
    assert score.probability == pytest.approx(0.1 + 0.8 * (cosine - 0.5) / 0.5, abs=1e-6)
    assert score.note == f"probability of the same generator {score.probability:.2f}"


def test_calibrated_likeness_says_how_sure_it_is_instead_of_uncalibrated() -> None:
    said = verdict(alike(0.75), calibration=CALIBRATED)
    assert said.outcome is Outcome.SIMILAR_TO_KNOWN_FAKE
    assert "(suggested, probability of the same generator 0.50)" in said.summary
    assert "uncalibrated" not in " ".join([said.summary, *(piece.statement for piece in said.evidence)])
    assert "(uncalibrated)" in verdict(alike(0.95, origin=None)).summary


def test_where_no_cosine_met_the_precision_nothing_is_called_the_same_origin() -> None:
    none_met = replace(ORIGIN, suggested=None, confirmed=None)
    assert not alike(1.0, origin=none_met).holds
    active = replace(CALIBRATED, calibration=replace(CALIBRATION, same_origin=none_met))
    said = verdict(alike(1.0, origin=none_met), calibration=active)
    assert said.outcome is Outcome.NO_MATCH_FOUND
    assert any("No cosine met the stated precision of 80%" in limit for limit in said.limitations)


def test_a_cosine_below_the_bands_that_the_caller_asked_for_stays_uncalibrated() -> None:
    ones = np.full(384, 384**-0.5, np.float32)
    low = replace(ORIGIN, suggested=None, confirmed=None)
    score = same_origin(ones, ones, Thresholds(31, 50, 0.3, trained=True, origin=low))
    assert (score.holds, score.band) == (True, Band.UNCALIBRATED)


def test_the_bundled_detector_names_the_recommended_one() -> None:
    assert LIMIT_BUNDLED in verdict(said=finding(trained=True, name="dejafake-small")).limitations
    assert LIMIT_BUNDLED not in verdict().limitations
    assert "community-forensics-384" in LIMIT_BUNDLED


def test_a_verdict_is_the_same_when_it_is_computed_again() -> None:
    assert verdict(alike(0.8), calibration=CALIBRATED) == verdict(alike(0.8), calibration=CALIBRATED)


def told(worth: EvidenceKind) -> ProvenanceFinding:
    return ProvenanceFinding(
        ProvenanceKind.CONTENT_CREDENTIALS,
        worth,
        "C2PA manifest signed by Example Newsroom.",
        digital_source_type="trainedAlgorithmicMedia",
    )


@pytest.mark.parametrize("label", [LabelValue.FAKE, LabelValue.AUTHENTIC, LabelValue.UNKNOWN])
@pytest.mark.parametrize("worth", [EvidenceKind.SELF_DECLARED, EvidenceKind.CRYPTOGRAPHIC])
def test_what_a_file_says_is_evidence_of_its_worth_that_takes_no_side(worth: EvidenceKind, label: LabelValue) -> None:
    def decided(origin: tuple[ProvenanceFinding, ...] | None) -> Verdict:
        return decide(
            Case(
                matches=(match(Relation.SAME_FILE, label),),
                finding=None,
                calibration=None,
                likeness_assessed=True,
                pictures_assessed=True,
                any_known_fake=True,
                index=INDEX,
                input_sha256="a" * 64,
                decided_at=NOW,
                origin=origin,
            )
        )

    without, verdict = decided(None), decided((told(worth),))
    (evidence,) = verdict.evidence[len(without.evidence) :]
    assert (evidence.kind, evidence.direction) == (worth, Direction.NEUTRAL)
    assert (evidence.measure, evidence.value) == ("provenance_content_credentials", "trainedAlgorithmicMedia")
    assert replace(verdict, evidence=without.evidence, limitations=without.limitations) == without
    assert set(verdict.limitations) - set(without.limitations) == (
        {LIMIT_SELF_DECLARED, LIMIT_SIGNATURE} if worth is EvidenceKind.CRYPTOGRAPHIC else {LIMIT_SELF_DECLARED}
    )


def test_a_file_that_says_nothing_is_no_evidence_and_the_limit_says_so() -> None:
    verdict = decide(
        Case(
            matches=(),
            finding=None,
            calibration=None,
            likeness_assessed=True,
            pictures_assessed=True,
            any_known_fake=True,
            index=INDEX,
            input_sha256=None,
            decided_at=NOW,
            origin=(),
        )
    )
    assert verdict.evidence == ()
    assert "says nothing means nothing" in " ".join(verdict.limitations)
