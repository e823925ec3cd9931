"""What a campaign says of itself stays true when an image of it is deleted, or is no known fake any more."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from indexer.campaigns import decisions
from indexer.campaigns.decisions import Author
from indexer.catalog.campaigns import campaigns
from indexer.catalog.database import Catalog
from indexer.catalog.images import images, labels, sightings
from indexer.catalog.records.campaigns import Campaign, CampaignMember, Reason
from indexer.catalog.records.labels import NewLabel
from indexer.sightings import NewSighting
from indexer.vocabulary import CampaignEventKind, LabelSource, LabelValue, MemberState, ReasonKind
from tests.campaigns.desks import Desk, digest, digests

ANA = Author("ana", "because")
Leaving = Callable[[Desk, int], None]


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Five known fakes in one campaign and three in another; image 0 is the exemplar that was seen first."""
    with Catalog.open(database_url) as catalog:
        made = Desk(catalog)
        made.add(*range(8))
        with catalog.writing() as session:
            ids = images.find_ids(session, digests(*range(8)))
            for number, (platform, day) in enumerate([("x", 1), ("vk", 5), ("vk", 7)]):
                seen = NewSighting(platform=platform, posted_at=datetime(2026, 1, day, tzinfo=UTC))
                sightings.add(session, ids[digest(number)], [seen])
        made.cluster({0, 1, 2, 3, 4}, {5, 6, 7})
        yield made


def deleted(desk: Desk, number: int) -> None:
    with desk.catalog.writing() as session:
        assert images.delete(session, digest(number), "asked for")


def cleared(desk: Desk, number: int) -> None:
    said(desk, number, LabelValue.AUTHENTIC)


def disputed(desk: Desk, number: int) -> None:
    with desk.catalog.writing() as session:
        (image_id,) = images.find_ids(session, digests(number)).values()
        labels.state(session, image_id, [NewLabel(LabelValue.AUTHENTIC, LabelSource.HUMAN, "another desk")])


def said(desk: Desk, number: int, value: LabelValue) -> None:
    with desk.catalog.writing() as session:
        (image_id,) = images.find_ids(session, digests(number)).values()
        labels.state(session, image_id, [NewLabel(value, LabelSource.HUMAN, "desk")])


leaving = pytest.mark.parametrize("leave", [deleted, cleared, disputed])


def campaign_of(desk: Desk, number: int) -> Campaign:
    name = desk.of(number)
    assert name is not None
    with desk.catalog.reading() as session:
        return campaigns.existing(session, name)


@leaving
def test_size_name_dates_platforms_and_exemplar_follow_the_image_that_left(desk: Desk, leave: Leaving) -> None:
    before = campaign_of(desk, 0)
    assert before.name == "Campaign of 5 images, first seen 2026-01-01"
    leave(desk, 0)
    after = campaign_of(desk, 1)
    assert after.id == before.id
    assert (after.size, after.name) == (4, "Campaign of 4 images, first seen 2026-01-05")
    assert (after.first_seen, after.last_seen) == (
        datetime(2026, 1, 5, tzinfo=UTC),
        datetime(2026, 1, 7, tzinfo=UTC),
    )
    assert after.platforms == ("vk",)
    members = desk.members(after.id)
    assert members.keys() == set(digests(1, 2, 3, 4))
    assert sum(member.exemplar for member in members.values()) == 1
    event = desk.history(after.id)[-1]
    assert (event.kind, event.size, event.removed, event.name) == (CampaignEventKind.SHRANK, 4, 1, after.name)


@leaving
def test_a_name_given_by_a_person_stays(desk: Desk, leave: Leaving) -> None:
    name = campaign_of(desk, 0).id
    with desk.catalog.writing() as session:
        decisions.rename(session, name, "Campaign of 5 images", ANA)
    leave(desk, 0)
    assert campaign_of(desk, 1).name == "Campaign of 5 images"


def test_reasons_that_name_a_deleted_image_go_with_it_and_others_stay(desk: Desk) -> None:
    name = campaign_of(desk, 0).id
    mine = Reason(ReasonKind.SAME_PICTURE, digest(0), 3.0)
    other = Reason(ReasonKind.SAME_ORIGIN, digest(2), 0.97, 0.5)
    with desk.catalog.writing() as session:
        campaign = campaigns.existing(session, name)
        ids = images.find_ids(session, digests(0, 1, 2))
        run = campaigns.last_run(session)
        assert run is not None
        members = [(ids[digest(n)], CampaignMember(digest(n), 0.5, n == 0, (mine, other) if n == 1 else ()))
                   for n in (0, 1, 2)]  # fmt: skip
        campaigns.save(session, run, [campaigns.NewCampaign(name, None, campaign.cohesion, members)])
    deleted(desk, 0)
    assert desk.members(name)[digest(1)].reasons == (other,)


@leaving
def test_one_image_alone_is_no_campaign_and_its_end_is_on_record(desk: Desk, leave: Leaving) -> None:
    name = campaign_of(desk, 5).id
    leave(desk, 5)
    assert desk.of(6) == name
    leave(desk, 6)
    assert desk.of(7) is None
    event = desk.history(name)[-1]
    assert (event.kind, event.size, event.removed) == (CampaignEventKind.DIED, 2, 2)


@leaving
def test_one_image_that_an_analyst_keeps_is_a_campaign_still_until_it_leaves_too(desk: Desk, leave: Leaving) -> None:
    name = campaign_of(desk, 7).id
    with desk.catalog.writing() as session:
        decisions.confirm_members(session, name, digests(7), ANA)
    leave(desk, 5)
    leave(desk, 6)
    assert desk.members(name)[digest(7)].state is MemberState.CONFIRMED
    assert campaign_of(desk, 7).name == "Campaign of 1 image"
    leave(desk, 7)
    assert desk.campaigns().keys() == {campaign_of(desk, 0).id}
    assert desk.history(name)[-1].kind is CampaignEventKind.DIED


def test_saying_fake_once_more_or_labelling_a_stranger_changes_no_campaign(desk: Desk) -> None:
    before = desk.campaigns(), desk.history()
    said(desk, 0, LabelValue.FAKE)
    desk.add(20, label=LabelValue.AUTHENTIC)
    deleted(desk, 20)
    assert (desk.campaigns(), desk.history()) == before


def test_a_deletion_that_is_undone_leaves_the_campaign_as_it_was(desk: Desk) -> None:
    before = campaign_of(desk, 0)

    def killed() -> None:
        with desk.catalog.writing() as session:
            images.delete(session, digest(0), "")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        killed()
    assert campaign_of(desk, 0) == before
