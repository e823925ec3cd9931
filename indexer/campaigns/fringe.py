"""The edge of dense groups: who is left out of one, and who is taken in. Pure functions of arrays.

HDBSCAN gives a group everything that falls to it before it falls to another, strangers far from it too, and leaves out
as noise what the group around it is dense enough for. Both are put right by one measure: how far a group reaches.
"""

from dataclasses import dataclass

import numpy as np

from indexer.campaigns.graph import Floats, Ints, Links, both_ways, renumbered


@dataclass(frozen=True, slots=True)
class ReachRule:
    """A group reaches `stretch` times the median, over its members, of the nearest link inside that is longer than
    `shortest`: near duplicates say nothing about how wide a group is."""

    stretch: float
    shortest: float


def reaches(labels: Ints, evidence: Links, rule: ReachRule) -> Floats:
    """How far each group [G] reaches. `labels` [N] are 0 to G - 1; negative is no group."""
    inside = evidence.only((labels[evidence.first] == labels[evidence.second]) & (labels[evidence.first] >= 0))
    nearest = _nearest(len(labels), inside.only(inside.distance > rule.shortest))
    linked = np.flatnonzero(np.isfinite(nearest))
    ordered = linked[np.lexsort((nearest[linked], labels[linked]))]
    sizes = np.bincount(labels[ordered], minlength=int(labels.max(initial=-1)) + 1)
    middle = np.cumsum(sizes) - sizes + (sizes - 1) // 2
    width = np.full(len(sizes), rule.shortest)
    width[sizes > 0] = nearest[ordered[middle[sizes > 0]]]
    return rule.stretch * width


def trimmed(labels: Ints, evidence: Links, reach: Floats) -> Ints:
    """The groups without members whose nearest link inside is longer than the group reaches."""
    inside = evidence.only((labels[evidence.first] == labels[evidence.second]) & (labels[evidence.first] >= 0))
    allowed = np.append(reach, -np.inf)[labels]
    return np.where(_nearest(len(labels), inside) <= allowed, labels, -1)


def joined(labels: Ints, evidence: Links, reach: Floats) -> Ints:
    """One round: each picture without a group takes that of its nearest linked picture whose group reaches it."""
    near, far, distance = both_ways(evidence)
    joining = (labels[near] < 0) & (labels[far] >= 0)
    near, far, distance = near[joining], far[joining], distance[joining]
    reached = distance <= reach[labels[far]]
    near, far, distance = near[reached], far[reached], distance[reached]
    order = np.lexsort((far, distance, near))
    who, nearest = np.unique(near[order], return_index=True)
    result = labels.copy()
    result[who] = labels[far[order][nearest]]
    return result


def settled(labels: Ints, evidence: Links, rule: ReachRule) -> Ints:
    """The groups [N] trimmed, then joined by who is within their reach."""
    groups = renumbered(labels)
    reach = reaches(groups, evidence, rule)
    return joined(trimmed(groups, evidence, reach), evidence, reach)


def _nearest(nodes: int, evidence: Links) -> Floats:
    """The length of the nearest link of each node [nodes]; infinite where it has none."""
    nearest = np.full(nodes, np.inf)
    np.minimum.at(nearest, evidence.first, evidence.distance)
    np.minimum.at(nearest, evidence.second, evidence.distance)
    return nearest
