"""Which campaign a new image would join, and why: a suggestion at ingest, without a clustering run.

A pure function of what the image's neighbours are. Nothing is stored here; the next clustering run decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from indexer.calibration import OriginMap
from indexer.campaigns.wording import same_origin_reason, same_picture_reason, same_recipe_reason

_MOST_REASONS = 3
_BITS = 256
_VOTERS = 5
"""Nearest linked members that decide between campaigns: one accidental neighbour does not outvote the others."""


@dataclass(frozen=True, slots=True)
class CopyHit:
    """A known fake of the same picture: `sha256`, its PDQ `distance` in bits of 256, and whether `mirrored`."""

    sha256: str
    distance: int
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class OriginHit:
    """A known fake near by embedding: `sha256` and the `cosine`, -1 to 1."""

    sha256: str
    cosine: float


@dataclass(frozen=True, slots=True)
class JoiningRule:
    """What counts as evidence. `min_cosine`: the smallest cosine that does; `max_bits`: the largest PDQ distance;
    `origin`: what a cosine means, None without a calibration; `trained`: whether the detector is, without which
    cosines are no evidence."""

    min_cosine: float
    max_bits: int
    trained: bool = True
    origin: OriginMap | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A campaign that an image would join. `strength` in (0, 1]: of its nearest five linked known fakes, by their
    weights, the share that are in this campaign, times the weight of the strongest link to it. `reasons`: the strongest
    links, best first."""

    campaign_id: str
    strength: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Vote:
    weight: float
    sha256: str
    reason: str


def suggest(
    campaign_of: Mapping[str, str],
    rule: JoiningRule,
    *,
    copies: Iterable[CopyHit] = (),
    same_recipe: Iterable[str] = (),
    origins: Iterable[OriginHit] = (),
) -> Suggestion | None:
    """The campaign a new image would join; None where no evidence leads to one.

    A copy of a picture goes where the picture is, whatever embeddings say. Otherwise the nearest five linked known
    fakes are weighed: those in no campaign too, so that an image among strangers joins nothing unless at least half of
    the weight is in one campaign. Ties go to the campaign of the smaller id.

    Args:
        campaign_of: the campaign id of each known fake (SHA-256) that is in one.
        copies, same_recipe, origins: known fakes that are linked with the image, in any order; those beyond the rule
            are ignored. `same_recipe` holds SHA-256s.
    """
    near = [_of_copy(hit) for hit in copies if hit.distance <= rule.max_bits]
    found = _best(campaign_of, [vote for vote in near if vote.sha256 in campaign_of])
    if found is not None:
        return found
    near += [_Vote(1.0, sha256, same_recipe_reason(sha256)) for sha256 in same_recipe]
    if rule.trained:
        near += [_of_origin(hit, rule) for hit in origins if hit.cosine >= rule.min_cosine]
    return _best(campaign_of, near)


def _of_copy(hit: CopyHit) -> _Vote:
    reason = same_picture_reason(hit.distance, hit.sha256, mirrored=hit.mirrored)
    return _Vote(1.0 - hit.distance / _BITS, hit.sha256, reason)


def _of_origin(hit: OriginHit, rule: JoiningRule) -> _Vote:
    """A link by embedding weighs what the calibration says; without one, half at the smallest cosine that counts,
    rising to 1."""
    if rule.origin is not None:
        probability = rule.origin.probability(hit.cosine)
        return _Vote(probability, hit.sha256, same_origin_reason(hit.cosine, hit.sha256, probability))
    room = max(1.0 - rule.min_cosine, 1e-6)
    weight = min(1.0, 0.5 + 0.5 * (hit.cosine - rule.min_cosine) / room)
    return _Vote(weight, hit.sha256, same_origin_reason(hit.cosine, hit.sha256))


def _best(campaign_of: Mapping[str, str], near: Sequence[_Vote]) -> Suggestion | None:
    strongest: dict[str, _Vote] = {}
    for vote in sorted(near, key=lambda vote: (-vote.weight, vote.reason)):
        strongest.setdefault(vote.sha256, vote)
    voters = list(strongest.values())[:_VOTERS]
    total = sum(vote.weight for vote in voters)
    by_campaign: dict[str, list[_Vote]] = defaultdict(list)
    for vote in voters:
        if vote.sha256 in campaign_of:
            by_campaign[campaign_of[vote.sha256]].append(vote)
    if not by_campaign or total <= 0:
        return None
    campaign, votes = min(by_campaign.items(), key=lambda item: (-sum(vote.weight for vote in item[1]), item[0]))
    share = sum(vote.weight for vote in votes) / total
    if share < 0.5:
        return None
    reasons = tuple(vote.reason for vote in votes[:_MOST_REASONS])
    return Suggestion(campaign, round(share * votes[0].weight, 4), reasons)
