"""Decisions in the queue: what they do, that what was decided does not come back, and two people at one item."""

from collections.abc import Iterator

import pytest

from indexer.campaigns.decisions import Author
from indexer.catalog import Catalog, reviews
from indexer.catalog.images import images, labels
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.reviews import ReviewDecision, ReviewKey
from indexer.errors import ConflictError, NotFoundError, UsageError
from indexer.review import decide, key_of, take_back
from indexer.vocabulary import LabelSource, LabelValue, MemberState, ReviewChoice, ReviewKind
from tests.campaigns.desks import Desk, digest

NADIA, OMAR = Author("Nadia"), Author("Omar", "seen elsewhere")


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Images 1 to 5 are fakes in one campaign, 6 to 8 in another."""
    with Catalog.open(database_url) as catalog:
        opened = Desk(catalog)
        opened.add(*range(1, 9))
        opened.cluster({1, 2, 3, 4, 5}, {6, 7, 8})
        yield opened


def waiting(desk: Desk) -> list[ReviewKey]:
    """The suggested members, two to a page."""
    keys, cursor = [], None
    with desk.catalog.reading() as session:
        while True:
            page = reviews.suggested_members(session, 2, cursor)
            keys += [ReviewKey(ReviewKind.CAMPAIGN_MEMBER, member.sha256, member.campaign) for member in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return keys


def answer(desk: Desk, key: ReviewKey, choice: ReviewChoice, author: Author = NADIA) -> ReviewDecision:
    with desk.catalog.writing() as session:
        return decide(session, key, choice, author)


def test_yes_confirms_no_rejects_and_cannot_tell_sets_aside_and_none_comes_back(desk: Desk) -> None:
    before = waiting(desk)
    assert len(before) == 8
    yes, no, aside = before[0], before[1], before[2]
    answer(desk, yes, ReviewChoice.YES)
    answer(desk, no, ReviewChoice.NO, OMAR)
    answer(desk, aside, ReviewChoice.CANNOT_TELL)
    assert desk.members(yes.subject)[yes.sha256].state is MemberState.CONFIRMED
    assert no.sha256 not in desk.members(no.subject)
    left = [key for key in before if key not in (yes, no, aside)]
    assert waiting(desk) == left
    with desk.catalog.reading() as session:
        assert reviews.counts(session)[ReviewKind.CAMPAIGN_MEMBER] == len(left)
    desk.cluster({1, 2, 3, 4, 5}, {6, 7, 8})  # a later run finds the same again
    assert {*waiting(desk)} == {*left}


def test_a_decision_is_taken_back_with_what_it_did_and_the_item_waits_again(desk: Desk) -> None:
    before = waiting(desk)
    for choice in ReviewChoice:
        done = answer(desk, before[0], choice)
        assert before[0] not in waiting(desk)
        with desk.catalog.writing() as session:
            take_back(session, done.number, OMAR)
        assert before[0] in waiting(desk)
        with desk.catalog.writing() as session, pytest.raises(ConflictError, match="Omar took decision"):
            take_back(session, done.number, NADIA)
    with desk.catalog.reading() as session:
        kept = reviews.page(session, 10).items
    assert [(each.by, each.undone_by) for each in kept] == [("Nadia", "Omar")] * 3


def test_the_second_of_two_people_is_told_who_decided_what_and_nothing_changes(desk: Desk) -> None:
    key = waiting(desk)[0]
    answer(desk, key, ReviewChoice.YES)
    with pytest.raises(ConflictError, match=r"Nadia decided about this already, on .* UTC: yes"):
        answer(desk, key, ReviewChoice.NO, OMAR)
    assert key.sha256 in desk.members(key.subject)
    with desk.catalog.reading() as session:
        assert len(reviews.page(session, 10).items) == 1


def test_a_member_that_left_meanwhile_or_an_image_that_is_gone_is_told(desk: Desk) -> None:
    key = waiting(desk)[0]
    with pytest.raises(ConflictError, match="not in campaign"):
        answer(desk, ReviewKey(key.kind, key.sha256, "cmp_other"), ReviewChoice.YES)
    with pytest.raises(NotFoundError, match="deleted meanwhile"):
        answer(desk, ReviewKey(key.kind, digest(99), key.subject), ReviewChoice.YES)


def test_a_disputed_label_is_settled_by_a_person_and_the_statement_is_taken_back(desk: Desk) -> None:
    desk.add(20, label=LabelValue.UNKNOWN)
    with desk.catalog.writing() as session:
        image_id = images.find_ids(session, [digest(20)])[digest(20)]
        for feed, value in (("feed a", LabelValue.FAKE), ("feed b", LabelValue.AUTHENTIC)):
            labels.state(session, image_id, [NewLabel(value, LabelSource.HUMAN, feed)])
        (image,) = reviews.disputed(session, 5).items
    key = ReviewKey(ReviewKind.DISPUTED_LABEL, image.sha256)
    done = answer(desk, key, ReviewChoice.YES)
    assert done.labelled
    with desk.catalog.reading() as session:
        assert reviews.disputed(session, 5).items == ()  # the feeds still disagree, but a person decided
        said = {label.source: label.value for label in images.get(session, digest(20)).labels}  # type: ignore[union-attr]
    assert said["Nadia"] is LabelValue.FAKE
    with desk.catalog.writing() as session:
        take_back(session, done.number, NADIA)
    with desk.catalog.reading() as session:
        assert len(reviews.disputed(session, 5).items) == 1


def test_an_item_is_assigned_to_one_person_and_to_nobody(desk: Desk) -> None:
    key, other = waiting(desk)[:2]
    for person in ("Omar", "Nadia", None):
        with desk.catalog.writing() as session:
            reviews.assign(session, key, person, "Lead")
        with desk.catalog.reading() as session:
            assert reviews.assigned(session, [key, other]) == ({} if person is None else {key: person})


@pytest.mark.parametrize("kind", [*ReviewKind])
def test_an_id_names_its_item(kind: ReviewKind) -> None:
    for key in (ReviewKey(kind, digest(1)), ReviewKey(kind, digest(1), "cmp_0a1b")):
        assert key_of(key.id) == key


@pytest.mark.parametrize("item", ["", "nothing", "campaign_member", f"other.{digest(1)}", f"novelty.{digest(1)[:9]}"])
def test_what_is_no_id_is_refused(item: str) -> None:
    with pytest.raises(UsageError, match="take it from the list"):
        key_of(item)
