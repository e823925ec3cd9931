"""New images join campaigns once each, whatever kills the process between storing and joining them."""

from pathlib import Path

import pytest

from indexer.campaigns import cluster
from indexer.campaigns.joining import after_ingest as newcomers
from indexer.campaigns.joining.after_ingest import Joined, join_campaigns, waiting
from indexer.catalog.campaigns import awaiting as awaiting_campaign
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.images import images
from indexer.copies.verification.thumbnails import Thumbnails
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import LabelValue
from tests.campaigns.shelves import Shelf, origin
from tests.made_pictures import png

THRESHOLDS = Thresholds(max_distance=31, min_quality=50, min_cosine=0.9, trained=True)


def new(shelf: Shelf, seed: int, number: int, label: LabelValue = LabelValue.FAKE) -> str:
    """A picture of the origin `seed` that was ingested and not looked at yet."""
    sha256 = shelf.add(png(100 * seed + number), origin(seed, number), label)
    with shelf.catalog.writing() as session:
        awaiting_campaign.add(session, list(images.find_ids(session, [sha256]).values()))
    return sha256


@pytest.fixture
def clustered(shelf: Shelf) -> Shelf:
    """A campaign of five pictures of origin 1."""
    for number in range(5):
        new(shelf, 1, number)
    cluster(shelf.catalog, shelf.index, shelf.settings)
    return shelf


def joining(shelf: Shelf, most: int | None = None) -> tuple[Joined, ...]:
    return join_campaigns(shelf.catalog, shelf.index, Thumbnails(shelf.settings), THRESHOLDS, most=most)


def members(shelf: Shelf, *sha256s: str) -> list[str | None]:
    with shelf.catalog.reading() as session:
        found = campaign_members.find(session, sha256s)
    return [found[sha256].campaign for sha256 in sha256s]


def test_a_clustering_run_looked_at_everything_that_waited(clustered: Shelf) -> None:
    assert waiting(clustered.catalog) == 0


def test_newcomers_like_a_campaign_join_it_and_strangers_do_not(clustered: Shelf) -> None:
    alike, stranger = new(clustered, 1, 7), new(clustered, 2, 0)
    innocent = new(clustered, 1, 8, LabelValue.AUTHENTIC)
    (joined,) = joining(clustered)
    assert joined.sha256 == alike
    assert members(clustered, alike, stranger, innocent) == [joined.campaign, None, None]
    assert joined.reasons[0].value is not None
    assert joined.reasons[0].value > 0.9
    assert waiting(clustered.catalog) == 0
    assert joining(clustered) == ()


def test_those_left_behind_by_a_killed_run_join_in_the_next_one_and_nobody_twice(
    clustered: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = [new(clustered, 1, number) for number in range(10, 16)]
    monkeypatch.setattr(newcomers, "_AT_ONCE", 2)
    stored = newcomers._store

    def killed(*arguments: object) -> object:
        if members(clustered, *late).count(None) <= 2:
            raise KeyboardInterrupt
        return stored(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(newcomers, "_store", killed)
    with pytest.raises(KeyboardInterrupt):
        joining(clustered)
    assert waiting(clustered.catalog) == 2
    monkeypatch.setattr(newcomers, "_store", stored)
    assert len(joining(clustered)) == 2
    assert None not in members(clustered, *late)


def test_no_more_than_asked_for_are_looked_at_the_newest_first(clustered: Shelf) -> None:
    first, last = new(clustered, 1, 10), new(clustered, 1, 11)
    (joined,) = joining(clustered, most=1)
    assert joined.sha256 == last
    assert members(clustered, first) == [None]
    assert waiting(clustered.catalog) == 1


def test_newcomers_are_searched_for_together(clustered: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    late = [new(clustered, 1, number) for number in (10, 11, 12)]
    asked: list[str] = []
    for name in ("nearest", "same_picture"):
        search = getattr(clustered.index, name)

        def counted(*arguments: object, _search: object = search, _name: str = name) -> object:
            asked.append(_name)
            return _search(*arguments)  # type: ignore[operator]

        monkeypatch.setattr(clustered.index, name, counted)
    assert len(joining(clustered)) == len(late)
    assert sorted(asked) == ["nearest", "same_picture"]


def test_alike_newcomers_that_arrive_together_do_not_keep_each_other_out(clustered: Shelf) -> None:
    late = [new(clustered, 1, number) for number in range(10, 30)]
    strangers = [new(clustered, 2, number) for number in range(3)]
    assert len(joining(clustered)) == len(late)
    assert None not in members(clustered, *late)
    assert members(clustered, *strangers) == [None] * 3


def test_a_deleted_image_waits_no_more(clustered: Shelf, tmp_path: Path) -> None:
    sha256 = new(clustered, 1, 9)
    with clustered.catalog.writing() as session:
        images.delete(session, sha256, "")
    assert waiting(clustered.catalog) == 0
