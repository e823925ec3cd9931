"""The guard against chaining: a group whose members are far from what stands for it is split. Pure functions of arrays.

One link after another can join what has nothing in common: each is short, the way from one end to the other is not.
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from indexer.campaigns.fringe import ReachRule, reaches
from indexer.campaigns.graph import Ints, Links, pieces, renumbered

PICTURES_AN_EXEMPLAR = 4
MOST_EXEMPLARS = 5
_MOST_ROUNDS = 20


def split_chains(labels: Ints, evidence: Links, rule: ReachRule, farthest: float) -> Ints:
    """Groups [N] whose members are all near an exemplar, by way of links inside.

    A group's exemplars are its best linked pictures, one in four and at most five. A link of the length that the group
    reaches counts 1, others by the square root of their distance over that (chords of the unit sphere). Members more
    than `farthest` from all exemplars form groups of their own, which are looked at in the same way.

    Args:
        labels: negative is no group.
        rule: how far groups reach.
    """
    groups = renumbered(labels)
    for _ in range(_MOST_ROUNDS):
        inside = evidence.only((groups[evidence.first] == groups[evidence.second]) & (groups[evidence.first] >= 0))
        far = (groups >= 0) & ~_near_exemplars(groups, inside, rule, farthest)
        if not far.any():
            break
        apart = pieces(len(groups), inside.only(far[inside.first] & far[inside.second]))
        groups = renumbered(np.where(far, len(groups) + apart, groups))
    return groups


def _near_exemplars(groups: Ints, inside: Links, rule: ReachRule, farthest: float) -> npt.NDArray[np.bool_]:
    if not len(inside):
        return np.ones(len(groups), np.bool_)
    reach = reaches(groups, inside, rule)
    length = np.sqrt(inside.distance / reach[groups[inside.first]])
    ways = csr_array((length, (inside.first, inside.second)), shape=(len(groups), len(groups)))
    exemplars = _exemplars(groups, inside)
    distance = dijkstra(ways, directed=False, indices=exemplars, min_only=True, limit=farthest)
    alone = np.bincount(np.concatenate([inside.first, inside.second]), minlength=len(groups)) == 0
    near: npt.NDArray[np.bool_] = np.isfinite(distance) | alone
    return near


def _exemplars(groups: Ints, inside: Links) -> Ints:
    """The best linked members of each group, ties by number."""
    degree = np.bincount(np.concatenate([inside.first, inside.second]), minlength=len(groups))
    members = np.flatnonzero(groups >= 0)
    order = members[np.lexsort((members, -degree[members], groups[members]))]
    sizes = np.bincount(groups[order])
    rank = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[groups[order]]
    wanted = np.minimum(-(-sizes // PICTURES_AN_EXEMPLAR), MOST_EXEMPLARS)
    return order[rank < wanted[groups[order]]]
