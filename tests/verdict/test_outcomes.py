"""Every combination of what the same file, the same picture, likeness and hash lists say, and the outcome it has."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product

import pytest

from indexer.catalog.records.hash_lists import ListedHash
from indexer.catalog.records.images import Image, ImageDetails
from indexer.catalog.records.labels import CurrentLabel
from indexer.verdict.case import Case, CopySearch, IndexReference
from indexer.verdict.deciding import Verdict, decide
from indexer.verdict.limitations import LIMIT_LIKELY_COPY, LIMIT_NO_MATCH, LIMIT_SHARED_PART
from indexer.verdict.matches import ListedMatch, Match
from indexer.verdict.relations import Band, RelationScore
from indexer.vocabulary import HashAlgorithm, LabelSource, LabelValue, Outcome, Relation, Technique

NOW = datetime(2026, 5, 1, tzinfo=UTC)
FAKE, AUTHENTIC, UNKNOWN = LabelValue.FAKE, LabelValue.AUTHENTIC, LabelValue.UNKNOWN
FILE, PICTURE, ORIGIN = Relation.SAME_FILE, Relation.SAME_PICTURE, Relation.SAME_ORIGIN
PART = Relation.SHARES_PART
NOBODY, PERSON, DISPUTED = "nobody", "person", "disputed"
STATES: tuple[tuple[LabelValue, str] | None, ...] = (
    None,
    (UNKNOWN, NOBODY),
    (UNKNOWN, PERSON),
    (UNKNOWN, DISPUTED),
    (FAKE, PERSON),
    (AUTHENTIC, PERSON),
)
LISTED: tuple[LabelValue | None, ...] = (None, FAKE, AUTHENTIC)
WORDS = {
    FILE: "The same file",
    PICTURE: "The same picture, or a near-identical one,",
}


MEASURED = {
    FILE: ("sha256", 1.0),
    PICTURE: ("pdq_distance", 9.0),
    PART: ("overlap", 14.0),
    ORIGIN: ("cls_cosine", 0.97),
}


def score(relation: Relation, band: Band = Band.UNCALIBRATED) -> RelationScore:
    measure, value = ("copy_cosine", 0.6) if band is Band.LIKELY_COPY else MEASURED[relation]
    return RelationScore(relation, measure, value, 1.0, holds=True, band=band)


def match(relation: Relation, state: tuple[LabelValue, str], band: Band = Band.UNCALIBRATED) -> Match:
    value, who = state
    person = who == PERSON
    label = CurrentLabel(
        value,
        Technique.UNKNOWN,
        None,
        disputed=who == DISPUTED,
        source_kind=None if who == NOBODY else LabelSource.HUMAN,
        source="M. Duval" if person else None,
    )
    image = Image("a" * 64, 10, "JPEG", 20, 20, "RGB", 1, (), "0" * 64, 90, "pdq", label, NOW)
    return Match(ImageDetails(image, (), (), (), (), (), (), (), None), relation, True, (score(relation, band),))


def entry(relation: Relation, label: LabelValue) -> ListedMatch:
    algorithm = HashAlgorithm.SHA256 if relation is FILE else HashAlgorithm.PDQ
    return ListedMatch(ListedHash(algorithm, "0" * 64, "exchange", label, NOW), relation, score(relation))


def decided(
    matches: Sequence[Match],
    listed: Sequence[ListedMatch] = (),
    *,
    lacking: bool = False,
    false_matches: float | None = None,
) -> Verdict:
    case = Case(
        matches=tuple(matches),
        finding=None,
        calibration=None,
        likeness_assessed=True,
        pictures_assessed=True,
        any_known_fake=True,
        index=IndexReference("snap", 3, "f" * 64),
        input_sha256="b" * 64,
        decided_at=NOW,
        listed=tuple(listed),
        copies=CopySearch(assessed=True, lacking=lacking, false_matches=false_matches),
    )
    return decide(case)


def expected(
    file: tuple[LabelValue, str] | None,
    picture: tuple[LabelValue, str] | None,
    on_list: tuple[LabelValue | None, LabelValue | None],
    alike: bool,
) -> Outcome:
    """The rule once more, as a table reads: file, then picture, then likeness; who has no label decides nothing."""
    for state, listed, person_wins in ((file, on_list[0], True), (picture, on_list[1], False)):
        if state is not None and state[1] == DISPUTED:
            return Outcome.INCONCLUSIVE
        said = {state[0]} if state is not None else set()
        if listed is not None and not (person_wins and state is not None and state[1] == PERSON):
            said.add(listed)
        said -= {UNKNOWN}
        if said:
            one = {frozenset({FAKE}): Outcome.KNOWN_FAKE_MATCH, frozenset({AUTHENTIC}): Outcome.NO_MATCH_FOUND}
            return one.get(frozenset(said), Outcome.INCONCLUSIVE)
    if alike:
        return Outcome.SIMILAR_TO_KNOWN_FAKE
    return Outcome.INCONCLUSIVE if file or picture else Outcome.NO_MATCH_FOUND


@pytest.mark.parametrize("alike", [False, True], ids=["unlike", "alike"])
@pytest.mark.parametrize("listed_picture", LISTED)
@pytest.mark.parametrize("listed_file", LISTED)
def test_every_combination_of_evidence_has_its_outcome_and_says_nothing_else(
    listed_file: LabelValue | None, listed_picture: LabelValue | None, alike: bool
) -> None:
    for file, picture in product(STATES, STATES):
        matches = [match(relation, state) for relation, state in ((FILE, file), (PICTURE, picture)) if state]
        matches += [match(ORIGIN, (FAKE, PERSON))] if alike else []
        lists = [entry(one, label) for one, label in ((FILE, listed_file), (PICTURE, listed_picture)) if label]
        said = decided(matches, lists)
        wanted = expected(file, picture, (listed_file, listed_picture), alike)
        assert said.outcome is wanted, (file, picture, listed_file, listed_picture, alike, said.summary)
        if said.outcome is Outcome.KNOWN_FAKE_MATCH:
            assert "is a known fake, labelled by " in said.summary
        if file is not None and file == (UNKNOWN, NOBODY) and said.outcome is not Outcome.INCONCLUSIVE:
            assert listed_file or said.summary.startswith("The same file is in the catalogue, and nobody has labelled")
        if said.outcome is Outcome.NO_MATCH_FOUND and not matches and not lists:
            assert said.summary.startswith("No known fake of this catalogue matches.")
        assert "Not a known file" not in said.summary or not {FILE, PICTURE} & {one.relation for one in matches}
        fakes = any(one.label is FAKE for one in said.matched) or any(one.entry.label is FAKE for one in lists)
        assert (LIMIT_NO_MATCH in said.limitations) == (said.outcome is Outcome.NO_MATCH_FOUND and not fakes)


@pytest.mark.parametrize("order", [1, -1])
def test_an_unlabelled_copy_of_the_file_does_not_hide_that_the_picture_is_a_known_fake(order: int) -> None:
    said = decided([match(FILE, (UNKNOWN, NOBODY)), match(PICTURE, (FAKE, PERSON))][::order])
    assert said.outcome is Outcome.KNOWN_FAKE_MATCH
    assert said.summary == (
        "The same file is in the catalogue, and nobody has labelled it yet. The same picture, or a near-identical one, "
        "is a known fake, labelled by M. Duval."
    )


def test_a_label_that_a_person_left_open_is_not_called_nobodys() -> None:
    said = decided([match(FILE, (UNKNOWN, PERSON))])
    assert said.outcome is Outcome.INCONCLUSIVE
    assert "its label is unknown, as stated by M. Duval" in said.summary


@pytest.mark.parametrize("relation", [FILE, PICTURE])
def test_a_picture_that_nobody_labelled_does_not_hide_a_likeness_to_known_fakes(relation: Relation) -> None:
    said = decided([match(relation, (UNKNOWN, NOBODY)), match(ORIGIN, (FAKE, PERSON))])
    assert said.outcome is Outcome.SIMILAR_TO_KNOWN_FAKE
    assert said.summary.startswith(f"{WORDS[relation]} is in the catalogue, and nobody has labelled it yet, but")


def likely(state: tuple[LabelValue, str]) -> Match:
    return match(PICTURE, state, Band.LIKELY_COPY)


@pytest.mark.parametrize("sure", STATES)
def test_a_likely_copy_decides_where_nothing_surer_does(sure: tuple[LabelValue, str] | None) -> None:
    surer = [] if sure is None else [match(PICTURE, sure)]
    said = decided([*surer, likely((FAKE, PERSON))])
    if sure in (None, (UNKNOWN, NOBODY), (UNKNOWN, PERSON)):
        assert said.outcome is Outcome.KNOWN_FAKE_MATCH
        assert said.summary.endswith("What is likely the same picture is a known fake, labelled by M. Duval.")
    else:
        assert said.outcome is decided(surer).outcome
        assert said.summary == decided(surer).summary
    assert LIMIT_LIKELY_COPY in said.limitations
    assert said.evidence[-1].measure == "copy_cosine"


@pytest.mark.parametrize("value", [UNKNOWN, AUTHENTIC])
def test_a_part_shared_with_a_known_fake_has_an_outcome_of_its_own_and_is_never_called_a_match(
    value: LabelValue,
) -> None:
    said = decided([match(PART, (FAKE, PERSON)), match(PART, (value, PERSON)), match(ORIGIN, (FAKE, PERSON))])
    assert said.outcome is Outcome.SHARES_PART_WITH_KNOWN_FAKE
    assert said.summary == "Part of this picture is in a known fake, labelled by M. Duval."
    assert LIMIT_SHARED_PART in said.limitations
    assert [one.relation for one in said.matched] == [PART, PART, ORIGIN]


@pytest.mark.parametrize("surer", [FILE, PICTURE])
@pytest.mark.parametrize("state", STATES[1:])
def test_a_shared_part_changes_nothing_where_a_surer_relation_has_a_label(
    surer: Relation, state: tuple[LabelValue, str]
) -> None:
    said = decided([match(surer, state), match(PART, (FAKE, PERSON))])
    if state in STATES[4:] or state[1] == DISPUTED:
        alone = decided([match(surer, state)])
        assert (said.outcome, said.summary) == (alone.outcome, alone.summary)
    else:
        assert said.outcome is Outcome.SHARES_PART_WITH_KNOWN_FAKE
        assert said.summary.startswith(f"{WORDS[surer]} is in the catalogue, and ")


def test_a_part_shared_with_what_is_no_known_fake_decides_nothing_and_is_told() -> None:
    said = decided([match(PART, (UNKNOWN, NOBODY)), match(PART, (AUTHENTIC, PERSON))])
    assert said.outcome is Outcome.NO_MATCH_FOUND
    assert "part of this picture is in a known picture labelled authentic by M. Duval" in said.summary
    assert LIMIT_NO_MATCH in said.limitations
    assert "no deciding label" in decided([match(PART, (UNKNOWN, DISPUTED))]).summary


def test_of_an_authentic_file_a_copy_that_is_a_known_fake_is_told_however_it_was_found() -> None:
    for copy in (match(PICTURE, (FAKE, PERSON)), likely((FAKE, PERSON))):
        said = decided([match(FILE, (AUTHENTIC, PERSON)), copy])
        assert said.outcome is Outcome.NO_MATCH_FOUND
        assert said.summary.startswith("The same file is labelled authentic; a copy of the picture is a known fake")
