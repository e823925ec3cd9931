"""What a clustering found, made to obey what analysts decided: must-link and cannot-link, a pure function over groups.

Groups that decisions do not touch come out as they went in.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from indexer.campaigns.bindings import Binding, Bindings
from indexer.campaigns.identity import matched_ids, new_id

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
    """Groups with their ids, after decisions.

    1. Each group is at home in the campaign of before that goes on in it. One in which none does is at home where
       decisions bind most of its images, if those are half of the images it has from campaigns of before: so the parts
       of a campaign that an analyst merged stay one, with what is new in them.
    2. A bound image is in its campaign, wherever it was found, or if it was found nowhere.
    3. A barred image is taken out of the campaign it is barred from; if nothing binds it elsewhere it is in none.
    4. A group that is then a single image, not bound, is none.

    Args:
        groups: the members of each group by SHA-256; no image in two groups.
        before: the members of each campaign now in the catalogue.
        decided: what decisions demand.
        candidates: every image that may be in a campaign; bound ones that are not among them are left out.

    Returns:
        Campaigns by id. No image is in two of them.
    """
    owned = {sha256 for members in before.values() for sha256 in members} if decided.bound else set()
    gathered: dict[str | int, set[str]] = {}
    for number, (members, matched) in enumerate(zip(groups, matched_ids(groups, before), strict=True)):
        home = matched or _claimed(members, owned, decided.bound)
        for sha256 in members:
            binding = decided.bound.get(sha256)
            place = number if home is None else home
            gathered.setdefault(place if binding is None else binding.campaign, set()).add(sha256)
    for sha256, binding in decided.bound.items():
        if sha256 in candidates:
            gathered.setdefault(binding.campaign, set()).add(sha256)
    used = {*before, *decided.merged, *(place for place in gathered if isinstance(place, str))}
    made = []
    for place, everyone in gathered.items():
        allowed = everyone
        if isinstance(place, str):
            allowed = {sha256 for sha256 in everyone if decided.allows(sha256, place)}
        members = tuple(sorted(allowed))
        if len(members) < _FEWEST and not any(sha256 in decided.bound for sha256 in members):
            continue
        name = place if isinstance(place, str) else new_id(members, used)
        used.add(name)
        made.append(DecidedGroup(name, members))
    return tuple(sorted(made, key=lambda group: group.id))


def _claimed(members: Sequence[str], owned: Set[str], bound: Mapping[str, Binding]) -> str | None:
    """The campaign where decisions bind most of these images, if those are half of the ones that had a campaign."""
    votes = Counter(bound[sha256].campaign for sha256 in members if sha256 in bound)
    if not votes:
        return None
    campaign, count = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
    had_one = sum(sha256 in owned or sha256 in bound for sha256 in members)
    return campaign if 2 * count >= had_one else None
