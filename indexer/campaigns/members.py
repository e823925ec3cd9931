"""What is said of each member of a group: how strongly it belongs, which members stand for the group, and why it is in.

Pure functions of arrays; wording for people lives in wording.py.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.campaigns.clustering import Grouping, GroupingRule
from indexer.campaigns.graph import Floats, Ints, Links

_PICTURES_AN_EXEMPLAR = 4
_MOST_EXEMPLARS = 5
_NEAREST = 0.1
"""Members nearer than this share of the bound are all equally strong: below it differences are recompression."""


@dataclass(frozen=True, slots=True)
class NearestLink:
    """For each of N images its nearest linked image in the same group: `other` [N] (-1: none), `distance` [N]."""

    other: Ints
    distance: Floats


@dataclass(frozen=True, slots=True)
class Roles:
    """What N images are in their groups; meaningless for images in none.

    Attributes:
        strength: [N] in (0, 1]. 1: its picture is linked to the group as closely as half of the pictures there, or
            the group is one picture; 0.5: its nearest link is twice as long as that.
        exemplar: [N] whether it stands for its group: the largest copy of one of the best connected pictures, one in
            four of them and at most five.
        copy: nearest copy of the same picture.
        relative: nearest image of another picture.
    """

    strength: Floats
    exemplar: npt.NDArray[np.bool_]
    copy: NearestLink
    relative: NearestLink


def roles(grouping: Grouping, same_picture: Links, alike: Links, rule: GroupingRule, pixels: Ints) -> Roles:
    """The roles of the members of groups. `pixels` [N] is each image's width times height."""
    group, picture = grouping.group_of, grouping.picture_of
    inside = (group[alike.first] == group[alike.second]) & (group[alike.first] >= 0)
    inside &= (picture[alike.first] != picture[alike.second]) & (alike.distance <= rule.bound)
    relatives = alike.only(inside)
    return Roles(
        strength=_strengths(grouping, relatives, rule),
        exemplar=_exemplars(grouping, relatives, rule, pixels),
        copy=_nearest(len(group), same_picture),
        relative=_nearest(len(group), relatives),
    )


def _nearest(images: int, among: Links) -> NearestLink:
    near, far = np.concatenate([among.first, among.second]), np.concatenate([among.second, among.first])
    distance = np.tile(among.distance, 2)
    order = np.lexsort((far, distance, near))
    who, place = np.unique(near[order], return_index=True)
    found = NearestLink(np.full(images, -1, np.int64), np.zeros(images))
    found.other[who], found.distance[who] = far[order][place], distance[order][place]
    return found


def _strengths(grouping: Grouping, relatives: Links, rule: GroupingRule) -> Floats:
    picture, group = grouping.picture_of, grouping.group_of
    reach = np.full(len(group), np.inf)  # by picture number
    length = np.maximum(relatives.distance, rule.bound * _NEAREST)
    np.minimum.at(reach, picture[relatives.first], length)
    np.minimum.at(reach, picture[relatives.second], length)
    strength = np.ones(len(group))
    pictures, of = np.unique(picture, return_index=True)
    group_of_picture = group[of]
    order = np.argsort(group_of_picture, kind="stable")
    starts = np.flatnonzero(np.diff(group_of_picture[order], prepend=-2))
    usual = np.full(len(group), np.inf)
    for members in np.split(order, starts[1:]):
        linked = reach[pictures[members]]
        linked = linked[np.isfinite(linked)]
        if group_of_picture[members[0]] >= 0 and len(linked):
            usual[pictures[members]] = np.median(linked)
    known = np.isfinite(reach) & np.isfinite(usual)
    by_picture = np.ones(len(group))
    by_picture[known] = np.minimum(1.0, usual[known] / reach[known])
    strength = by_picture[picture]
    return np.round(strength, 4)


def _exemplars(grouping: Grouping, relatives: Links, rule: GroupingRule, pixels: Ints) -> npt.NDArray[np.bool_]:
    picture, group = grouping.picture_of, grouping.group_of
    centrality = np.zeros(len(group))  # by picture number
    closeness = 1.0 - relatives.distance / rule.bound
    np.add.at(centrality, picture[relatives.first], closeness)
    np.add.at(centrality, picture[relatives.second], closeness)
    copies = np.bincount(picture, minlength=len(group))
    # members of each group, best connected picture first, largest copy of it first
    order = np.lexsort(
        (np.arange(len(group)), -pixels, picture, -copies[picture], -centrality[picture].round(6), group)
    )
    order = order[group[order] >= 0]
    exemplar = np.zeros(len(group), np.bool_)
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        shown, first = np.unique(picture[members], return_index=True)
        wanted = min(_MOST_EXEMPLARS, -(-len(shown) // _PICTURES_AN_EXEMPLAR))
        exemplar[members[np.sort(first)[:wanted]]] = True
    return exemplar
