"""Applies analysts' decisions to the groups of a clustering: must-link and cannot-link constraints, as a pure function.
Groups that no decision touches are returned unchanged.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from indexer.campaigns.identity.bindings import Binding, Bindings
from indexer.campaigns.identity.matching import matched_ids, new_id

_FEWEST = 2
"""Fewest images of a group that lost some to decisions, or of one that decisions hold together; a single bound image
keeps its campaign alive too."""


@dataclass(frozen=True, slots=True)
class DecidedGroup:
    """A campaign's id and its members by SHA-256, rising."""

    id: str
    members: tuple[str, ...]


def constrain(
    groups: Sequence[Sequence[str]], before: Mapping[str, Set[str]], decided: Bindings, candidates: Set[str]
) -> tuple[DecidedGroup, ...]:
    """Groups with campaign ids, after applying decisions.

    1. Each group's home is the previous campaign that continues in it. A group in which none continues gets the
    campaign that decisions bind most of its images to, if that is at least half of its images that had a campaign: so
    the parts of a campaign that an analyst merged stay together, new images included.
    2. A bound image goes to its campaign, whichever group it was in, or none.
    3. A barred image is removed from the campaign it is barred from; unless bound elsewhere it is in none.
    4. A group left with a single image that is not bound is dropped.

    Args:
        groups: the members of each group by SHA-256; no image in two groups.
        before: the members of each campaign now in the catalogue.
        decided: the constraints from decisions.
        candidates: every image that may be in a campaign; bound images that are not candidates are left out.

    Returns:
        Campaigns by id. No image is in two of them.
    """
    owned = {sha256 for members in before.values() for sha256 in members} if decided.bound else set()
    gathered: dict[str | int, set[str]] = {}
    for number, (members, matched) in enumerate(zip(groups, matched_ids(groups, before), strict=True)):
        home = matched or _claimed(members, owned, decided.bound)
        for sha256 in members:
            binding = decided.bound.get(sha256)
            campaign = number if home is None else home
            gathered.setdefault(campaign if binding is None else binding.campaign, set()).add(sha256)
    for sha256, binding in decided.bound.items():
        if sha256 in candidates:
            gathered.setdefault(binding.campaign, set()).add(sha256)
    used = {*before, *decided.merged, *(campaign for campaign in gathered if isinstance(campaign, str))}
    constrained = []
    for campaign, everyone in gathered.items():
        allowed = everyone
        if isinstance(campaign, str):
            allowed = {sha256 for sha256 in everyone if decided.allows(sha256, campaign)}
        members = tuple(sorted(allowed))
        if len(members) < _FEWEST and not any(sha256 in decided.bound for sha256 in members):
            continue
        name = campaign if isinstance(campaign, str) else new_id(members, used)
        used.add(name)
        constrained.append(DecidedGroup(name, members))
    return tuple(sorted(constrained, key=lambda group: group.id))


def _claimed(members: Sequence[str], owned: Set[str], bound: Mapping[str, Binding]) -> str | None:
    """The campaign that decisions bind most of these images to, if that is at least half of those that had a
    campaign.
    """
    votes = Counter(bound[sha256].campaign for sha256 in members if sha256 in bound)
    if not votes:
        return None
    campaign, count = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
    had_one = sum(sha256 in owned or sha256 in bound for sha256 in members)
    return campaign if 2 * count >= had_one else None
