"""Which campaign a new image would join, and why: a suggestion made at ingest, without a clustering run. A pure
function of the image's neighbours. Nothing is stored here; the next clustering run decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from indexer.calibration import OriginMap
from indexer.campaigns.reasons import copy_reason, origin_reason, recipe_reason, verified_reason
from indexer.catalog.records.campaigns import Reason

_MOST_REASONS = 3
_BITS = 256
_VERIFIED = 0.875
"""The weight of a verified copy: as in a clustering run (`grouping.verified.BITS`)."""
_VOTERS = 5
"""Nearest linked members that decide between campaigns: one accidental neighbour does not outvote the others."""


@dataclass(frozen=True, slots=True)
class CopyHit:
    """A known fake of the same picture: `sha256`, its PDQ `distance` in bits of 256, and whether `mirrored`; of an
    altered copy, how many local features lie alike in `inliers`, and the distance is not considered."""

    sha256: str
    distance: int
    mirrored: bool = False
    inliers: int | None = None


@dataclass(frozen=True, slots=True)
class OriginHit:
    """A known fake near by embedding: `sha256` and the `cosine`, -1 to 1."""

    sha256: str
    cosine: float


@dataclass(frozen=True, slots=True)
class JoiningRule:
    """What counts as evidence. `min_cosine`: the smallest cosine; `max_bits`: the largest PDQ distance; `origin`: the
    calibration of cosines, if any; `trained`: whether the detector is trained, otherwise cosines are no evidence.
    """

    min_cosine: float
    max_bits: int
    trained: bool = True
    origin: OriginMap | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A campaign that an image would join. `strength` in (0, 1]: the weighted share of its five nearest linked known
    fakes that are in this campaign, times the weight of the strongest link to it. `reasons`: the strongest links, best
    first.
    """

    campaign_id: str
    strength: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class _Vote:
    weight: float
    sha256: str
    reason: Reason


def suggest(
    campaign_of: Mapping[str, str],
    rule: JoiningRule,
    *,
    copies: Iterable[CopyHit] = (),
    same_recipe: Iterable[str] = (),
    origins: Iterable[OriginHit] = (),
) -> Suggestion | None:
    """The campaign a new image would join; None without sufficient evidence.

    A copy goes where its picture is, whatever embeddings say. Otherwise the five nearest linked known fakes vote by
    weight, including those in no campaign, and at least half of the weight must be in one campaign. Ties go to the
    campaign of the smaller id.

    Args:
        campaign_of: the campaign id of each known fake (SHA-256) that is in one.
        copies, same_recipe, origins: known fakes linked to the image, in any order; those outside the rule are ignored.
            `same_recipe` holds SHA-256s.
    """
    near = [_of_copy(hit) for hit in copies if hit.inliers is not None or hit.distance <= rule.max_bits]
    best = _best(campaign_of, [vote for vote in near if vote.sha256 in campaign_of])
    if best is not None:
        return best
    near += [_Vote(1.0, sha256, recipe_reason(sha256)) for sha256 in same_recipe]
    if rule.trained:
        near += [_of_origin(hit, rule) for hit in origins if hit.cosine >= rule.min_cosine]
    return _best(campaign_of, near)


def _of_copy(hit: CopyHit) -> _Vote:
    if hit.inliers is not None:
        return _Vote(_VERIFIED, hit.sha256, verified_reason(hit.inliers, hit.sha256, mirrored=hit.mirrored))
    reason = copy_reason(hit.distance, hit.sha256, mirrored=hit.mirrored)
    return _Vote(1.0 - hit.distance / _BITS, hit.sha256, reason)


def _of_origin(hit: OriginHit, rule: JoiningRule) -> _Vote:
    """An embedding link has its calibrated probability as weight; without a calibration, 0.5 at the smallest cosine
    that counts, rising to 1.
    """
    if rule.origin is not None:
        probability = rule.origin.probability(hit.cosine)
        return _Vote(probability, hit.sha256, origin_reason(hit.cosine, hit.sha256, probability))
    room = max(1.0 - rule.min_cosine, 1e-6)
    weight = min(1.0, 0.5 + 0.5 * (hit.cosine - rule.min_cosine) / room)
    return _Vote(weight, hit.sha256, origin_reason(hit.cosine, hit.sha256))


def _best(campaign_of: Mapping[str, str], near: Sequence[_Vote]) -> Suggestion | None:
    strongest: dict[str, _Vote] = {}
    for vote in sorted(near, key=lambda vote: (-vote.weight, vote.reason.kind, vote.sha256)):
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
