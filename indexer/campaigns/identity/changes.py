"""The events between two states of the campaigns, as a pure function of their members."""

from collections import Counter
from collections.abc import Hashable, Mapping, Set
from typing import TypeVar

from indexer.catalog.records.campaigns import CampaignName, NewEvent
from indexer.vocabulary import CampaignEventKind

_MOST = 0.5

T = TypeVar("T", bound=Hashable)


def changes(
    before: Mapping[str, Set[T]], after: Mapping[str, Set[T]], names: Mapping[str, CampaignName]
) -> tuple[NewEvent, ...]:
    """The events of each campaign, by id.

    A campaign that disappeared merged into the one that now holds most of its images, if that is at least half of them;
    otherwise it died. A new campaign was split from the one that held most of its images, if that is at least half of
    them; otherwise it was born. A campaign that remains grew by the images that joined and shrank by those that left.

    Args:
        before, after: the images of each campaign, under any kind of id; no image is in two campaigns.
        names: the name of every campaign in either state.
    """
    was_in = {image: campaign for campaign, images in before.items() for image in images}
    is_in = {image: campaign for campaign, images in after.items() for image in images}
    events = []
    for campaign in sorted({*before, *after}):
        old, new = before.get(campaign), after.get(campaign)
        name = names[campaign]
        if old is not None and new is None:
            into = _mostly(old, is_in)
            kind = CampaignEventKind.DIED if into is None else CampaignEventKind.MERGED
            events.append(NewEvent(campaign, kind, name, len(old), into, removed=len(old)))
        elif new is not None and old is None:
            out_of = _mostly(new, was_in)
            kind = CampaignEventKind.BORN if out_of is None else CampaignEventKind.SPLIT
            events.append(NewEvent(campaign, kind, name, len(new), out_of, added=len(new)))
        elif old is not None and new is not None:
            if new - old:
                events.append(NewEvent(campaign, CampaignEventKind.GREW, name, len(new), added=len(new - old)))
            if old - new:
                events.append(NewEvent(campaign, CampaignEventKind.SHRANK, name, len(new), removed=len(old - new)))
    return tuple(events)


def _mostly(images: Set[T], places: Mapping[T, str]) -> str | None:
    """The campaign that at least half of the images are in."""
    counted = Counter(places[image] for image in images if image in places)
    if not counted:
        return None
    campaign, count = min(counted.items(), key=lambda item: (-item[1], item[0]))
    return campaign if count >= _MOST * len(images) else None
