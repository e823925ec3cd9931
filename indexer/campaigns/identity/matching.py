"""Ids that survive re-clustering: groups are matched to the previous campaigns by shared images. Pure functions."""

import hashlib
from base64 import b32encode
from collections.abc import Container, Iterable, Mapping, Sequence, Set

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

_SHARED_AT_LEAST = 0.5
_ID_LENGTH = 12


def matched_ids(groups: Sequence[Sequence[str]], before: Mapping[str, Set[str]]) -> tuple[str | None, ...]:
    """For each group the previous campaign that continues in it; None where none does.

    The assignment keeps as many images as possible under their previous id (linear assignment); a campaign continues in
    a group only if the two share at least half of the smaller. So a campaign may grow, shrink, or lose a part that
    becomes a new one.

    Args:
        groups: the members of each group by SHA-256; no image in two groups.
        before: the members of each campaign of the previous run; empty at the first run.
    """
    old = sorted(before)
    owner = {sha256: previous for previous, name in enumerate(old) for sha256 in sorted(before[name])}
    shared: dict[tuple[int, int], int] = {}
    for number, members in enumerate(groups):
        for sha256 in members:
            previous = owner.get(sha256)
            if previous is not None:
                shared[previous, number] = shared.get((previous, number), 0) + 1
    continued: list[str | None] = [None] * len(groups)
    for places, numbers in _neighbourhoods(shared, len(old), len(groups)):
        # ties go to the more similar group, and then to the first
        gain = np.zeros((len(places), len(numbers)))
        for row, previous in enumerate(places):
            for column, number in enumerate(numbers):
                both = shared.get((previous, number), 0)
                either = len(before[old[previous]]) + len(groups[number]) - both
                gain[row, column] = both + 0.5 * both / either
        for at_row, at_column in zip(*linear_sum_assignment(gain, maximize=True), strict=True):
            previous, number = places[at_row], numbers[at_column]
            smaller = min(len(before[old[previous]]), len(groups[number]))
            if shared.get((previous, number), 0) >= max(1.0, _SHARED_AT_LEAST * smaller):
                continued[number] = old[previous]
    return tuple(continued)


def new_id(members: Iterable[str], used: Container[str]) -> str:
    """An id for a new campaign, derived from the SHA-256 of its members: the same on every machine; none of `used`."""
    named = "\n".join(sorted(members))
    again = 0
    while True:
        digest = hashlib.sha256(f"{named}\n{again}".encode() if again else named.encode()).digest()
        candidate = "cmp_" + b32encode(digest).decode()[:_ID_LENGTH].lower()
        if candidate not in used:
            return candidate
        again += 1


def _neighbourhoods(shared: Mapping[tuple[int, int], int], olds: int, news: int) -> list[tuple[list[int], list[int]]]:
    """Sets of old and new numbers connected by shared images. Each is a separate assignment problem, which keeps the
    cost matrices small however many campaigns there are.
    """
    if not shared:
        return []
    rows, columns = (np.array(side, np.int64) for side in zip(*sorted(shared), strict=True))
    size = olds + news
    joined = csr_array((np.ones(len(rows), np.int8), (rows, olds + columns)), shape=(size, size))
    _, piece = connected_components(joined, directed=False)
    neighbourhoods: dict[int, tuple[list[int], list[int]]] = {}
    for node in sorted({*rows.tolist(), *(olds + columns).tolist()}):
        sides = neighbourhoods.setdefault(int(piece[node]), ([], []))
        sides[node >= olds].append(node if node < olds else node - olds)
    return list(neighbourhoods.values())
