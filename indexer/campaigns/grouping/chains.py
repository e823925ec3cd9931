"""The guard against chaining: a group whose members are far from its exemplars is split. Pure functions of arrays.

A chain of short links can join images that have nothing in common: each link is short, the whole path is not.
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from indexer.campaigns.grouping.graph import Ints, Links, pieces, renumbered
from indexer.campaigns.grouping.trimming import ReachRule, reaches

PICTURES_AN_EXEMPLAR = 4
MOST_EXEMPLARS = 5
_MOST_ROUNDS = 20


def split_chains(labels: Ints, evidence: Links, rule: ReachRule, farthest: float) -> Ints:
    """Splits groups [N] until every member is near an exemplar, measured along links inside the group.

    A group's exemplars are its best linked pictures, one in four and at most five. A link as long as the group's reach
    counts 1, others the square root of their distance divided by that reach (chords of the unit sphere). Members more
    than `farthest` from every exemplar form new groups, which are checked the same way.

    Args:
        labels: the group of each image; negative means none.
        rule: how a group's reach is computed.
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
    quota = np.minimum(-(-sizes // PICTURES_AN_EXEMPLAR), MOST_EXEMPLARS)
    return order[rank < quota[groups[order]]]
