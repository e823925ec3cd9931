"""What happened between two states of the campaigns, as a pure function of who was in which."""

from collections import Counter
from collections.abc import Hashable, Mapping, Set
from typing import TypeVar

from indexer.catalog.campaign_records import NewEvent
from indexer.vocabulary import CampaignEventKind

_MOST = 0.5

T = TypeVar("T", bound=Hashable)


def changes(
    before: Mapping[str, Set[T]], after: Mapping[str, Set[T]], names: Mapping[str, str]
) -> tuple[NewEvent, ...]:
    """What happened to each campaign, by id.

    A campaign that is no more merged into the one that holds the most of its images, if those are half of them;
    otherwise it died. A new one was split from the one that had the most of its images, if those are half of its own;
    otherwise it was born. One that stays grew by the images that came, and shrank by those that left.

    Args:
        before, after: the images of each campaign, whatever they are named by; none is in two campaigns.
        names: what each campaign of either is called.
    """
    was_in = {image: campaign for campaign, images in before.items() for image in images}
    is_in = {image: campaign for campaign, images in after.items() for image in images}
    found = []
    for campaign in sorted({*before, *after}):
        old, new = before.get(campaign), after.get(campaign)
        name = names[campaign]
        if old is not None and new is None:
            into = _mostly(old, is_in)
            kind = CampaignEventKind.DIED if into is None else CampaignEventKind.MERGED
            found.append(NewEvent(campaign, kind, name, len(old), into, removed=len(old)))
        elif new is not None and old is None:
            out_of = _mostly(new, was_in)
            kind = CampaignEventKind.BORN if out_of is None else CampaignEventKind.SPLIT
            found.append(NewEvent(campaign, kind, name, len(new), out_of, added=len(new)))
        elif old is not None and new is not None:
            if new - old:
                found.append(NewEvent(campaign, CampaignEventKind.GREW, name, len(new), added=len(new - old)))
            if old - new:
                found.append(NewEvent(campaign, CampaignEventKind.SHRANK, name, len(new), removed=len(old - new)))
    return tuple(found)


def _mostly(images: Set[T], places: Mapping[T, str]) -> str | None:
    """The campaign that at least half of the images are in."""
    counted = Counter(places[image] for image in images if image in places)
    if not counted:
        return None
    campaign, count = min(counted.items(), key=lambda place: (-place[1], place[0]))
    return campaign if count >= _MOST * len(images) else None
