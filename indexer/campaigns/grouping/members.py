"""The role of each member of a group: how strongly it belongs, whether it is an exemplar, and which links hold it
there. Pure functions of arrays; sentences are made in report/wording.py.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.arrays import Reals
from indexer.campaigns.grouping.chains import MOST_EXEMPLARS, PICTURES_AN_EXEMPLAR
from indexer.campaigns.grouping.clustering import Grouping, GroupingRule
from indexer.campaigns.grouping.graph import Ints, Kinds, Links, both_ways, members_of

_BITS = 256
_NEAREST = 0.1
"""Members nearer than this share of the bound are all equally strong: below it differences are recompression."""


@dataclass(frozen=True, slots=True)
class NearestLink:
    """The nearest linked image in the same group for each of N images: `other` [N] (-1: none), `distance` [N], and
    `kind` [N], the evidence for the link.
    """

    other: Ints
    distance: Reals
    kind: Kinds


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of N images in their groups; meaningless for images in no group.

    Attributes:
        strength: [N] in (0, 1], a product. Of its picture: 1 when it is linked to the group as closely as half of the
            pictures there, 0.5 when its nearest link is twice as long, 1 in a group of one picture. Of the image: the
            share of PDQ bits that are equal in its nearest copy, 1 when it is the only copy.
        exemplar: [N] whether it represents its group: the largest copy of one of the best connected pictures, one in
            four of them and at most five.
        copy: nearest copy of the same picture.
        relative: nearest image of another picture.
    """

    strength: Reals
    exemplar: npt.NDArray[np.bool_]
    copy: NearestLink
    relative: NearestLink


def roles(grouping: Grouping, same_picture: Links, alike: Links, rule: GroupingRule, pixels: Ints) -> Roles:
    """The roles of the members of groups. `pixels` [N] is each image's width times height."""
    group, picture = grouping.group_of, grouping.picture_of
    inside = (group[alike.first] == group[alike.second]) & (group[alike.first] >= 0)
    inside &= (picture[alike.first] != picture[alike.second]) & (alike.distance <= rule.bound)
    relatives = alike.only(inside)
    copy = _nearest(len(group), same_picture)
    return Roles(
        strength=np.round(_picture_strengths(grouping, relatives, rule) * (1.0 - copy.distance / _BITS), 4),
        exemplar=_exemplars(grouping, relatives, rule, pixels),
        copy=copy,
        relative=_nearest(len(group), relatives),
    )


def _nearest(images: int, among: Links) -> NearestLink:
    shortest = np.full(images, np.inf)
    np.minimum.at(shortest, among.first, among.distance)
    np.minimum.at(shortest, among.second, among.distance)
    nearest = among.only((among.distance == shortest[among.first]) | (among.distance == shortest[among.second]))
    near, far, distance = both_ways(nearest)
    order = np.lexsort((far, distance, near))
    who, positions = np.unique(near[order], return_index=True)
    result = NearestLink(np.full(images, -1, np.int64), np.zeros(images), np.zeros(images, np.uint8))
    result.other[who], result.distance[who] = far[order][positions], distance[order][positions]
    result.kind[who] = np.tile(nearest.kind, 2)[order][positions]
    return result


def _picture_strengths(grouping: Grouping, relatives: Links, rule: GroupingRule) -> Reals:
    """The first factor of `Roles.strength`, by image."""
    picture = grouping.picture_of
    pictures = int(picture.max(initial=-1)) + 1
    group_of_picture = np.full(pictures, -1, np.int64)
    group_of_picture[picture] = grouping.group_of
    reach = np.full(pictures, np.inf)
    length = np.maximum(relatives.distance, rule.bound * _NEAREST)
    np.minimum.at(reach, picture[relatives.first], length)
    np.minimum.at(reach, picture[relatives.second], length)
    strength = np.ones(pictures)
    for members in members_of(group_of_picture):
        linked = members[np.isfinite(reach[members])]
        if len(linked):
            strength[linked] = np.minimum(1.0, np.median(reach[linked]) / reach[linked])
    return strength[picture]


def _exemplars(grouping: Grouping, relatives: Links, rule: GroupingRule, pixels: Ints) -> npt.NDArray[np.bool_]:
    picture, group = grouping.picture_of, grouping.group_of
    copies = np.bincount(picture)
    centrality = np.zeros(len(copies))
    closeness = 1.0 - relatives.distance / rule.bound
    np.add.at(centrality, picture[relatives.first], closeness)
    np.add.at(centrality, picture[relatives.second], closeness)
    exemplar = np.zeros(len(group), np.bool_)
    for members in members_of(group):
        # best connected pictures first, then the most often re-shared; the largest copy of each
        shown = picture[members]
        order = np.lexsort((members, -pixels[members], shown, -copies[shown], -centrality[shown].round(6)))
        first = np.sort(np.unique(shown[order], return_index=True)[1])
        quota = min(MOST_EXEMPLARS, -(-len(first) // PICTURES_AN_EXEMPLAR))
        exemplar[members[order[first[:quota]]]] = True
    return exemplar
