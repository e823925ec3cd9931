"""Matches by picture: which known images are one group, and which stay apart."""

from datetime import UTC, datetime

from indexer.catalog.records.images import Image, ImageDetails
from indexer.catalog.records.labels import CurrentLabel
from indexer.verdict.headlines import HEADLINES, RELATION_WORDS
from indexer.verdict.matches import Match
from indexer.verdict.relations import Band, RelationScore
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import LabelSource, LabelValue, Outcome, PdqMethod, Relation, Technique
from search_api.service.grouping import grouped
from search_api.web import words

THRESHOLDS = Thresholds(max_distance=31, min_quality=50, min_cosine=0.9, trained=True)


def match(
    bits: int,
    relation: Relation = Relation.SAME_ORIGIN,
    *,
    holds: bool = True,
    label: LabelValue = LabelValue.FAKE,
    quality: int = 90,
) -> Match:
    """A known image whose PDQ hash has this many bits set."""
    current = CurrentLabel(label, Technique.UNKNOWN, None, False, LabelSource.HUMAN, "desk")
    pdq = ((1 << bits) - 1).to_bytes(32).hex()
    facts = {"byte_size": 1, "format": "PNG", "width": 9, "height": 9, "mode": "RGB", "frames": 1, "notes": ()}
    image = Image(
        sha256=f"{bits:064x}",
        pdq=pdq,
        pdq_quality=quality,
        pdq_method=PdqMethod.REFERENCE,
        label=current,
        added_at=datetime.now(UTC),
        **facts,  # type: ignore[arg-type]
    )
    score = RelationScore(relation, "cls_cosine", 0.95, 0.9, holds, Band.UNCALIBRATED)
    return Match(ImageDetails(image, (), (), (), (), (), (), (), None), relation, holds, (score,))


def bits(groups: object) -> list[list[int]]:
    """The groups by the bits of their members' hashes."""
    return [[int(member.image.image.sha256, 16) for member in group.matches] for group in groups]  # type: ignore[attr-defined]


def test_files_of_one_picture_are_one_group_in_the_order_of_the_strongest() -> None:
    answer = grouped([match(200), match(0), match(31), match(210), match(62)], THRESHOLDS)
    assert bits(answer.others) == [[200, 210], [0, 31, 62]], "0 and 62 are the same by way of 31"
    assert bits(grouped([match(0), match(32)], THRESHOLDS).others) == [[0], [32]]


def test_a_file_between_two_groups_makes_them_one() -> None:
    assert bits(grouped([match(0), match(150), match(60), match(30)], THRESHOLDS).others) == [[0, 60, 30], [150]]


def test_other_labels_relations_and_poor_hashes_stay_apart() -> None:
    for other in (match(1, label=LabelValue.AUTHENTIC), match(1, Relation.SHARES_PART), match(1, quality=49)):
        assert len(grouped([match(0), other], THRESHOLDS).others) == 2


def test_copies_of_the_query_are_one_group_a_label_and_misses_stand_apart() -> None:
    copies = [match(number, Relation.SAME_PICTURE) for number in (0, 90, 180)]
    other = match(7, Relation.SAME_FILE, label=LabelValue.AUTHENTIC)
    near = [match(120, holds=False), match(130, holds=False)]
    answer = grouped([*copies, other, *near], THRESHOLDS)
    assert bits(answer.copies) == [[0, 90, 180], [7]]
    assert answer.others == ()
    assert answer.nearest_miss is near[0]
    assert grouped([], THRESHOLDS).nearest_miss is None


def test_every_word_of_the_library_that_pages_show_can_be_translated() -> None:
    assert tuple(HEADLINES) == tuple(Outcome)
    assert set(HEADLINES.values()) == set(words.OUTCOMES)
    assert set(RELATION_WORDS.values()) == set(words.RELATIONS)
    assert {technique.value.replace("_", " ") for technique in Technique} == set(words.TECHNIQUES)
