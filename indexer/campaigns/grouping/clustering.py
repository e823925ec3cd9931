"""From evidence to groups of images: copies are merged into pictures, HDBSCAN finds dense groups of pictures, and
simple rules correct its known weaknesses. Pure functions of arrays.

docs/campaigns.md explains how the constants were chosen; `python -m benchmarks.campaigns` measures them again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.cluster import HDBSCAN

from indexer.arrays import Reals
from indexer.calibration.records import along
from indexer.campaigns.grouping import trimming as fringe
from indexer.campaigns.grouping.chains import split_chains
from indexer.campaigns.grouping.graph import (
    Ints,
    Links,
    contracted,
    distance_matrix,
    links,
    members_of,
    pieces,
    renumbered,
    united,
)

_FLOOR = 0.3
"""For HDBSCAN distances below this share of the bound count as that share. Without it a handful of nearly identical
pictures is so dense (1/distance) that HDBSCAN prefers it to the larger group around it."""

_NEAR_DUPLICATE = 0.025
"""Nearer than this share of the bound two pictures are the same but for recompression."""

_PARTS_HOLD = 0.5

_AT_ONCE = 20_000
"""Pictures given to HDBSCAN at a time, at least, where there are more."""

Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class GroupingRule:
    """What makes a group.

    Attributes:
        min_size: fewest images, at least 2.
        bound: largest distance (1 - cosine) of two embeddings that is evidence.
        min_samples: how many neighbours make a picture part of a dense region rather than a link in a chain.
        stretch: a group's reach as a multiple of the median of its members' nearest links, near duplicates aside;
            pictures farther away leave the group, nearer ones join it.
        farthest: the largest distance from an exemplar along links, as a multiple of the reach, before the group is
            split.
        large: a dense group with more pictures than this, and more than `large_share` of all, is searched for parts.
        calibrated: (cosine, probability of a common origin), rising, from a calibration. An improbable link then counts
            as up to twice as long; None: every link counts as it is.
    """

    min_size: int
    bound: float
    min_samples: int = 2
    stretch: float = 2.5
    farthest: float = 10.0
    large: int = 500
    large_share: float = 0.1
    calibrated: Knots | None = None

    def max_cluster_size(self, pictures: int) -> int:
        """HDBSCAN's `max_cluster_size` among so many pictures."""
        return max(self.large, int(pictures * self.large_share))

    def weighed(self, distance: npt.ArrayLike) -> Reals:
        """Distances [E] after weighting: the order is kept, and near duplicates all count the same."""
        given = np.maximum(np.asarray(distance, np.float64), self.bound * _NEAR_DUPLICATE)
        if self.calibrated is None:
            return given
        return given * (2.0 - along(self.calibrated, 1.0 - given))


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of N images.

    Attributes:
        picture_of: [N] the picture each image shows; re-shared copies share a number.
        group_of: [N] the group of each image, numbered in the order of first members; -1 is none.
        placed: [N] whether the image joined after the clustering, through its nearest neighbour.
    """

    picture_of: Ints
    group_of: Ints
    placed: npt.NDArray[np.bool_]


def group_images(images: int, same_picture: Links, alike: Links, rule: GroupingRule) -> Grouping:
    """Groups of images that belong together.

    Copies of one picture become one node, so they are never split and never mistaken for a dense group of different
    pictures. Between two pictures the shortest link counts. HDBSCAN (Campello et al. 2013) finds dense groups of
    pictures, and each is cut into the parts that links within the bound connect. Then pictures beyond a group's reach
    leave it and pictures within reach join it (trimming.py), and chains are split (chains.py). A picture with enough
    copies is a group by itself, and so is any connected piece in which no group was found.

    Args:
        images: how many, N. Number them independently of when they were added (by SHA-256), because ties are broken by
            number.
        same_picture: links between copies of one picture.
        alike: links between embeddings, `distance` 1 - cosine; those beyond the bound are ignored.
    """
    if images == 0:
        nothing = np.empty(0, np.int64)
        return Grouping(nothing, nothing, np.empty(0, np.bool_))
    picture_of = pieces(images, same_picture)
    copies = np.bincount(picture_of)
    near = contracted(picture_of, alike.only(alike.distance <= rule.bound))
    evidence = replace(near, distance=rule.weighed(near.distance))
    dense = _held_together(_dense_groups(len(copies), evidence, rule), evidence, copies, rule.min_size)
    reach = fringe.ReachRule(rule.stretch, shortest=float(rule.weighed(0.0)))
    whole = split_chains(fringe.settled(dense, evidence, reach), evidence, reach, rule.farthest)
    connected = _held_together(whole, evidence, copies, rule.min_size)
    every = _with_what_is_left(connected, evidence, copies, rule.min_size)
    placed = (dense < 0) & (connected >= 0)
    return Grouping(picture_of, renumbered(every[picture_of]), placed[picture_of])


def _dense_groups(pictures: int, evidence: Links, rule: GroupingRule) -> Ints:
    """The dense group [pictures] of each picture, -1 for noise.

    HDBSCAN's "eom" rule may return whole connected pieces; `max_cluster_size` makes it return their parts. But a large
    group without parts then dissolves into crumbs and noise, or loses only some of its edge, so parts are taken only
    where they hold half of it and none of them more than half.
    """
    if len(evidence) == 0:
        return np.full(pictures, -1, np.int64)
    groups = _hdbscan(pictures, evidence, rule, None)
    limit = rule.max_cluster_size(pictures)
    sizes = np.bincount(groups[groups >= 0], minlength=1)
    if sizes.max() <= limit:
        return groups
    parts = _hdbscan(pictures, evidence, rule, limit)
    for large in np.flatnonzero(sizes > limit):
        inside = groups == large
        labels = parts[inside]
        held = np.bincount(labels[labels >= 0], minlength=1)
        if held.sum() >= _PARTS_HOLD * sizes[large] >= held.max():
            groups[inside] = np.where(labels >= 0, len(sizes) + labels, -1)
    return groups


def _hdbscan(pictures: int, evidence: Links, rule: GroupingRule, limit: int | None) -> Ints:
    """HDBSCAN's groups [pictures], -1 for noise. Connected pieces are independent, so they are passed to it in batches
    of some thousands of pictures: its running time grows faster than linearly.
    """
    labels = np.full(pictures, -1, np.int64)
    groups = 0
    for nodes, part in _batches(pictures, evidence, rule.min_size):
        inside = _hdbscan_of(len(nodes), part, rule, limit)
        labels[nodes] = np.where(inside >= 0, groups + inside, -1)
        groups += int(inside.max(initial=-1)) + 1
    return labels


def _batches(pictures: int, evidence: Links, fewest: int) -> Iterator[tuple[Ints, Links]]:
    """Batches of whole connected pieces of at least `fewest` pictures each: the pictures, rising, and the links between
    them by position in the batch.
    """
    piece = pieces(pictures, evidence)
    size = np.bincount(piece)
    size[size < fewest] = 0
    batch_of_piece = np.where(size > 0, (np.cumsum(size) - size) // _AT_ONCE, -1)
    batch = batch_of_piece[piece]
    among = batch[evidence.first]
    order = np.argsort(among, kind="stable")
    position = np.empty(pictures, np.int64)
    for nodes in members_of(batch):
        position[nodes] = np.arange(len(nodes))
        some = order[slice(*np.searchsorted(among, [batch[nodes[0]], batch[nodes[0]] + 1], sorter=order))]
        yield (
            nodes,
            Links(
                position[evidence.first[some]],
                position[evidence.second[some]],
                evidence.distance[some],
                evidence.kind[some],
            ),
        )


def _hdbscan_of(pictures: int, evidence: Links, rule: GroupingRule, limit: int | None) -> Ints:
    # HDBSCAN never returns the root of its tree. A small unrelated clique ensures that the root is never a real group,
    # even when all pictures are connected.
    clique = pictures + np.arange(max(rule.min_size, rule.min_samples + 1))
    first, other = np.triu_indices(len(clique), 1)
    longest = float(rule.weighed(rule.bound))
    dense = replace(evidence, distance=np.maximum(evidence.distance, rule.weighed(rule.bound * _FLOOR)))
    every = united(dense, links(clique[first], clique[other], np.full(len(first), longest)))
    labels = HDBSCAN(
        min_cluster_size=rule.min_size,
        min_samples=rule.min_samples,
        metric="precomputed",
        max_cluster_size=limit,
        cluster_selection_method="eom",
        copy=False,
    ).fit_predict(distance_matrix(pictures + len(clique), every, longest, rule.min_samples))
    # a picture with fewer links than min_samples is attached by filler edges only: its group would be chance
    linked = np.bincount(np.concatenate([evidence.first, evidence.second]), minlength=pictures)
    return np.where(linked >= rule.min_samples, np.asarray(labels[:pictures], np.int64), -1)


def _held_together(labels: Ints, evidence: Links, copies: Ints, min_size: int) -> Ints:
    """Each group cut into what evidence inside it connects; parts of too few images are dropped."""
    inside = evidence.only((labels[evidence.first] == labels[evidence.second]) & (labels[evidence.first] >= 0))
    part = pieces(len(labels), inside)
    return np.where((labels >= 0) & (_images(part, copies) >= min_size), part, -1)


def _with_what_is_left(labels: Ints, evidence: Links, copies: Ints, min_size: int) -> Ints:
    """Pictures of enough copies and connected pieces without any group become groups themselves."""
    piece = pieces(len(labels), evidence)
    taken = np.zeros(len(labels), np.bool_)
    taken[piece[labels >= 0]] = True
    new = len(labels)
    whole = (labels < 0) & ~taken[piece] & (_images(piece, copies) >= min_size)
    alone = (labels < 0) & taken[piece] & (copies >= min_size)
    result = np.where(whole, new + piece, labels)
    return np.where(alone, 2 * new + np.arange(len(labels)), result)


def _images(part: Ints, copies: Ints) -> Ints:
    """How many images the part of each picture holds."""
    held = np.bincount(part, weights=copies.astype(np.float64))
    return held[part].astype(np.int64)
