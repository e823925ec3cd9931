"""The boundary of dense groups: which pictures leave and which join. Pure functions of arrays.

HDBSCAN assigns distant outliers to a group, and leaves out as noise pictures that its group is dense enough for. One
measure corrects both: a group's reach.
"""

from dataclasses import dataclass

import numpy as np

from indexer.arrays import Reals
from indexer.campaigns.grouping.graph import Ints, Links, both_ways, renumbered


@dataclass(frozen=True, slots=True)
class ReachRule:
    """A group's reach is `stretch` times the median, over its members, of the nearest link inside it that is longer
    than `shortest`: near duplicates say nothing about how wide a group is.
    """

    stretch: float
    shortest: float


def reaches(labels: Ints, evidence: Links, rule: ReachRule) -> Reals:
    """The reach of each group [G]. `labels` [N] are 0 to G - 1; negative means none."""
    inside = evidence.only((labels[evidence.first] == labels[evidence.second]) & (labels[evidence.first] >= 0))
    nearest = _nearest(len(labels), inside.only(inside.distance > rule.shortest))
    linked = np.flatnonzero(np.isfinite(nearest))
    ordered = linked[np.lexsort((nearest[linked], labels[linked]))]
    sizes = np.bincount(labels[ordered], minlength=int(labels.max(initial=-1)) + 1)
    middle = np.cumsum(sizes) - sizes + (sizes - 1) // 2
    width = np.full(len(sizes), rule.shortest)
    width[sizes > 0] = nearest[ordered[middle[sizes > 0]]]
    return rule.stretch * width


def trimmed(labels: Ints, evidence: Links, reach: Reals) -> Ints:
    """Removes members whose nearest link inside their group is longer than its reach."""
    inside = evidence.only((labels[evidence.first] == labels[evidence.second]) & (labels[evidence.first] >= 0))
    allowed = np.append(reach, -np.inf)[labels]
    return np.where(_nearest(len(labels), inside) <= allowed, labels, -1)


def joined(labels: Ints, evidence: Links, reach: Reals) -> Ints:
    """One round: each ungrouped picture joins the group of its nearest linked picture within that group's reach."""
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
    """The groups [N] after trimming, then repeatedly joining pictures within reach."""
    groups = renumbered(labels)
    reach = reaches(groups, evidence, rule)
    return joined(trimmed(groups, evidence, reach), evidence, reach)


def _nearest(nodes: int, evidence: Links) -> Reals:
    """The length of the nearest link of each node [nodes]; infinite where it has none."""
    nearest = np.full(nodes, np.inf)
    np.minimum.at(nearest, evidence.first, evidence.distance)
    np.minimum.at(nearest, evidence.second, evidence.distance)
    return nearest
