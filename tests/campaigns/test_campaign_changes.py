from indexer.campaigns.identity.changes import changes
from indexer.catalog.records.campaigns import NewEvent
from indexer.vocabulary import CampaignEventKind as Kind


def happened(before: dict[str, str], after: dict[str, str]) -> list[tuple[str, Kind, str | None, int, int]]:
    """Events between campaigns of one-letter images."""
    names = {name: name.upper() for name in {*before, *after}}
    events = changes(*({name: set(images) for name, images in side.items()} for side in (before, after)), names)
    assert all(event.name == event.campaign.upper() for event in events)
    return [(event.campaign, event.kind, event.other, event.added, event.removed) for event in events]


def test_nothing_happens_to_campaigns_that_stay_as_they_are() -> None:
    assert happened({"a": "xyz"}, {"a": "xyz"}) == []


def test_growth_and_shrinkage_are_counted_apart() -> None:
    assert happened({"a": "abcd"}, {"a": "cdefg"}) == [("a", Kind.GREW, None, 3, 0), ("a", Kind.SHRANK, None, 0, 2)]


def test_a_campaign_merges_where_half_of_it_went_and_dies_otherwise() -> None:
    assert happened({"a": "abcd", "b": "xyz"}, {"b": "abxyz"})[0] == ("a", Kind.MERGED, "b", 0, 4)
    assert happened({"a": "abcd", "b": "xyz"}, {"b": "axyz"})[0] == ("a", Kind.DIED, None, 0, 4)
    assert happened({"a": "abcd"}, {}) == [("a", Kind.DIED, None, 0, 4)]


def test_a_campaign_is_split_from_where_half_of_it_came_from_and_born_otherwise() -> None:
    assert happened({"a": "abcdef"}, {"a": "abcd", "b": "ef"}) == [
        ("a", Kind.SHRANK, None, 0, 2),
        ("b", Kind.SPLIT, "a", 2, 0),
    ]
    assert happened({"a": "abcdef"}, {"a": "abcde", "b": "fxyz"})[1] == ("b", Kind.BORN, None, 4, 0)


def test_an_end_says_how_large_it_was() -> None:
    (event,) = changes({"a": {1, 2, 3}}, {}, {"a": "Teapot"})
    assert event == NewEvent("a", Kind.DIED, "Teapot", 3, removed=3)
