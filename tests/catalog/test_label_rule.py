"""What statements about an image add up to."""

import pytest

from indexer.catalog import Catalog
from indexer.catalog.images import images, labels
from indexer.catalog.records.labels import CurrentLabel, Label, NewLabel
from indexer.errors import UsageError
from indexer.vocabulary import Technique
from tests.catalog.catalogue_rows import AUTHENTIC, FAKE, FEED, HUMAN, MODEL, UNKNOWN, add_image, digest, said


def state(catalog: Catalog, *statements: NewLabel) -> int:
    """One transaction that states all of these about image 1."""
    with catalog.writing() as session:
        return labels.state(session, add_image(session, 1), statements)


def now(catalog: Catalog) -> CurrentLabel:
    """The current label, which must be the same worked out anew and kept on the image."""
    with catalog.reading() as session:
        kept = images.get(session, digest(1))
        assert kept is not None
        assert labels.current(session, images.find_ids(session, [digest(1)])[digest(1)]) == kept.image.label
        return kept.image.label


def stored(catalog: Catalog) -> tuple[Label, ...]:
    with catalog.reading() as session:
        kept = images.get(session, digest(1))
        assert kept is not None
        return kept.labels


def test_an_image_nobody_spoke_of_is_unknown(catalog: Catalog) -> None:
    state(catalog)
    assert now(catalog) == CurrentLabel(UNKNOWN, Technique.UNKNOWN, None, False, None, None)


def test_a_statement_becomes_the_current_label(catalog: Catalog) -> None:
    assert state(catalog, said(FAKE, "alice", technique=Technique.FACE_SWAP, generator="roop")) == 1
    assert now(catalog) == CurrentLabel(FAKE, Technique.FACE_SWAP, "roop", False, HUMAN, "alice")


def test_a_human_outweighs_a_feed_and_a_feed_a_model(catalog: Catalog) -> None:
    state(catalog, said(AUTHENTIC, "detector", MODEL))
    state(catalog, said(FAKE, "desk feed", FEED))
    state(catalog, said(AUTHENTIC, "other detector", MODEL))
    assert now(catalog).value == FAKE
    state(catalog, said(AUTHENTIC, "alice"))
    state(catalog, said(FAKE, "desk feed", FEED, reason="again"))
    assert (now(catalog).value, now(catalog).source_kind, now(catalog).source) == (AUTHENTIC, HUMAN, "alice")


def test_the_latest_statement_of_a_source_counts(catalog: Catalog) -> None:
    state(catalog, said(FAKE))
    state(catalog, said(AUTHENTIC))
    assert (now(catalog).value, now(catalog).disputed) == (AUTHENTIC, False)
    assert [label.value for label in stored(catalog)] == [FAKE, AUTHENTIC]


def test_two_people_who_disagree_leave_it_disputed_and_both_are_kept(catalog: Catalog) -> None:
    state(catalog, said(FAKE, "alice", technique=Technique.SPLICE, generator="gimp"))
    state(catalog, said(AUTHENTIC, "bob"))
    assert now(catalog) == CurrentLabel(UNKNOWN, Technique.UNKNOWN, None, True, HUMAN, None)
    assert [(label.value, label.source) for label in stored(catalog)] == [(FAKE, "alice"), (AUTHENTIC, "bob")]


def test_a_dispute_ends_when_one_of_them_changes_their_mind(catalog: Catalog) -> None:
    state(catalog, said(FAKE, "alice"))
    state(catalog, said(AUTHENTIC, "bob"))
    state(catalog, said(FAKE, "bob"))
    assert now(catalog).value == FAKE
    assert not now(catalog).disputed


def test_a_dispute_below_is_settled_from_above(catalog: Catalog) -> None:
    state(catalog, said(FAKE, "feed a", FEED), said(AUTHENTIC, "feed b", FEED))
    assert now(catalog).disputed
    state(catalog, said(FAKE, "alice"))
    assert (now(catalog).value, now(catalog).disputed) == (FAKE, False)


ROWS = [said(FAKE, "list.csv", FEED, edition="1"), said(AUTHENTIC, "list.csv", FEED, edition="1")]


@pytest.mark.parametrize("transactions", [[ROWS], [ROWS[:1], ROWS[1:]]])
def test_two_rows_of_one_list_that_disagree_are_disputed(catalog: Catalog, transactions: list[list[NewLabel]]) -> None:
    """Whether they are stored together or far apart."""
    for rows in transactions:
        state(catalog, *rows)
    assert now(catalog).disputed
    assert len(stored(catalog)) == 2


def test_contradictions_of_one_transaction_without_an_edition_are_disputed(catalog: Catalog) -> None:
    with catalog.writing() as session:
        image_id = add_image(session, 1)
        labels.state(session, image_id, [said(FAKE)])
        labels.state(session, image_id, [said(AUTHENTIC)])
    assert now(catalog).disputed


def test_the_same_statement_twice_adds_nothing(catalog: Catalog) -> None:
    assert state(catalog, said(FAKE), said(FAKE)) == 1
    assert state(catalog, said(FAKE)) == 0
    assert len(stored(catalog)) == 1


def test_a_statement_made_again_after_another_one_counts_again(catalog: Catalog) -> None:
    for value in (FAKE, AUTHENTIC, FAKE):
        assert state(catalog, said(value)) == 1
    assert now(catalog).value == FAKE


def test_a_list_that_contradicts_itself_adds_nothing_the_second_time(catalog: Catalog) -> None:
    state(catalog, *ROWS)
    assert [state(catalog, row) for row in ROWS] == [0, 0]
    assert now(catalog).disputed


def test_a_corrected_list_replaces_the_one_before(catalog: Catalog) -> None:
    state(catalog, *ROWS)
    corrected = said(FAKE, "list.csv", FEED, edition="2")
    assert [state(catalog, row) for row in (corrected, corrected)] == [1, 0]
    assert (now(catalog).value, now(catalog).disputed) == (FAKE, False)


def test_a_source_settles_its_own_contradiction_by_speaking_again(catalog: Catalog) -> None:
    state(catalog, said(FAKE), said(AUTHENTIC))
    assert state(catalog, said(FAKE)) == 1
    assert (now(catalog).value, now(catalog).disputed) == (FAKE, False)


def test_reading_a_list_again_does_not_undo_what_its_source_said_since(catalog: Catalog) -> None:
    state(catalog, *ROWS)
    state(catalog, said(FAKE, "list.csv", FEED))
    assert [state(catalog, row) for row in ROWS] == [0, 0]
    assert (now(catalog).value, now(catalog).disputed) == (FAKE, False)


def test_another_reason_is_another_statement(catalog: Catalog) -> None:
    state(catalog, said(FAKE, reason="the ears"))
    assert state(catalog, said(FAKE, reason="the hands")) == 1


def test_unknown_takes_no_side_but_withdraws_ones_own_statement(catalog: Catalog) -> None:
    state(catalog, said(FAKE, "alice"))
    state(catalog, said(UNKNOWN, "bob"))
    assert (now(catalog).value, now(catalog).disputed, now(catalog).source) == (FAKE, False, "alice")
    state(catalog, said(UNKNOWN, "alice"))
    assert (now(catalog).value, now(catalog).disputed) == (UNKNOWN, False)


def test_a_human_unknown_keeps_a_feed_from_speaking(catalog: Catalog) -> None:
    state(catalog, said(FAKE, "feed", FEED))
    state(catalog, said(UNKNOWN, "alice"))
    assert now(catalog).value == UNKNOWN


def test_technique_and_generator_come_from_whoever_agrees_and_knows_most_recent_first(catalog: Catalog) -> None:
    state(catalog, said(FAKE, "feed", FEED, Technique.SPLICE, "photoshop"))
    state(catalog, said(AUTHENTIC, "detector", MODEL, Technique.INPAINTING, "lama"))
    state(catalog, said(FAKE, "alice", technique=Technique.FACE_SWAP))
    state(catalog, said(FAKE, "bob", generator="roop"))
    state(catalog, said(FAKE, "carol"))
    assert now(catalog) == CurrentLabel(FAKE, Technique.FACE_SWAP, "roop", False, HUMAN, "carol")


def test_an_agreeing_feed_adds_what_people_did_not_say(catalog: Catalog) -> None:
    state(catalog, said(FAKE, "feed", FEED, Technique.FACE_SWAP, "roop"))
    state(catalog, said(FAKE, "alice"))
    assert (now(catalog).technique, now(catalog).generator) == (Technique.FACE_SWAP, "roop")


def test_a_statement_without_a_speaker_or_with_an_endless_name_is_refused(catalog: Catalog) -> None:
    for source, generator in (("", None), ("  ", None), ("s" * 201, None), ("s", "g" * 201)):
        with pytest.raises(UsageError, match=r"who says so|at most 200"):
            state(catalog, said(FAKE, source, generator=generator))


def test_what_people_write_may_hold_anything(catalog: Catalog) -> None:
    state(catalog, said(FAKE, " al\0ice\ud800 ", reason="x" * 10_000 + "\0", generator="\u202e'); DROP TABLE image;--"))
    (label,) = stored(catalog)
    assert (label.source, label.generator) == ("al\ufffdice\ufffd", "\u202e'); DROP TABLE image;--")
    assert label.reason == "x" * 10_000 + "\ufffd"
