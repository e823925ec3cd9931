"""Matches grouped by picture: copies of one picture are one group, whatever number of files it was re-shared as."""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.imaging.hashing import hamming
from indexer.verdict.copies import Copies, copies_of, is_copy
from indexer.verdict.matches import Match
from indexer.verdict.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class GroupedMatches:
    """The matches of one answer.

    Attributes:
        copies: those that are the query's own picture, one group a label: a person must see that labels disagree.
        others: those that share a part or are of the same origin, one group a picture and label.
        near: those of which no relation holds, nearest first.
    """

    copies: tuple[Copies, ...]
    others: tuple[Copies, ...]
    near: tuple[Match, ...]

    @property
    def nearest_miss(self) -> Match | None:
        """The known image that comes nearest without being a match."""
        return self.near[0] if self.near else None


def grouped(matches: Sequence[Match], thresholds: Thresholds) -> GroupedMatches:
    """Groups the matches of an answer; the order of the strongest matches stays.

    Two known images that are no copies of the query are one picture where their PDQ hashes are within the distance that
    counts, directly or by way of others of the group. Hashes below the quality that counts group with none.
    """
    others = [match for match in matches if match.holds and not is_copy(match)]
    groups: list[list[Match]] = []
    for match in others:
        near = [group for group in groups if any(_same_picture(match, member, thresholds) for member in group)]
        joined = [member for group in near for member in group] + [match]
        at = groups.index(near[0]) if near else len(groups)
        groups = [group for group in groups if group not in near]
        groups.insert(at, joined)
    return GroupedMatches(
        copies=copies_of(matches),
        others=tuple(_labelled(group) for group in groups),
        near=tuple(match for match in matches if not match.holds),
    )


def _same_picture(a: Match, b: Match, thresholds: Thresholds) -> bool:
    first, second = a.image.image, b.image.image
    if _kind(a) != _kind(b) or first.pdq_method != second.pdq_method:
        return False
    if min(first.pdq_quality, second.pdq_quality) < thresholds.min_quality:
        return False
    return hamming(bytes.fromhex(first.pdq), bytes.fromhex(second.pdq)) <= thresholds.max_distance


def _kind(match: Match) -> tuple[object, ...]:
    label = match.image.image.label
    return match.relation, label.value, label.technique, label.disputed


def _labelled(group: Sequence[Match]) -> Copies:
    label = group[0].image.image.label
    return Copies(label.value, label.technique, label.disputed, tuple(group))
