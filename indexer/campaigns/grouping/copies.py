"""All pairs of near PDQ hashes in a large set, exactly: each hash is compared only with those that share a band.

Two hashes that differ in at most r bits, cut into m bands, differ in at most r // m bits in one of them (multi-index
hashing; Norouzi, Punjani and Fleet, CVPR 2012). So for each band and each way to flip that few of its bits, hashes
whose bands become equal are compared: at a million hashes, a few thousandths of a percent of all pairs.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from indexer.campaigns.grouping.graph import Ints, LinkKind, Links, links, united

Hashes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

BITS = 256
_WORDS = 4
_COMPARED_AT_ONCE = 1 << 20
_LINKS_KEPT = 1 << 22
_LOOKUP, _COMPARISON = 1.0, 6.0
"""About what it costs to look for one hash under one change, and to compare two; measured on a million hashes."""
_EVERY_OTHER_COLUMN = np.uint64(0x5555555555555555)


@dataclass(frozen=True, slots=True)
class _Band:
    """Bits `start` to `stop`, of which up to `changes` may differ."""

    start: int
    stop: int
    changes: int

    @property
    def masks(self) -> list[int]:
        """All masks that flip at most `changes` of its bits."""
        width = range(self.stop - self.start)
        return [
            sum(1 << bit for bit in some) for count in range(self.changes + 1) for some in combinations(width, count)
        ]


def mirrored(hashes: Hashes) -> Hashes:
    """Approximates the PDQ hashes [N, 32] of the mirrored pictures: mirroring flips the sign of every other column of
    PDQ's 16 x 16 cosine transform, and a bit says whether a coefficient is above the median, which is near zero.

    On 60 pictures this is 18 bits (median; 28 at the 90th percentile) from the hash of the really mirrored, re-encoded
    picture; among 449 different pictures, the closest pair compared this way is 78 bits apart.
    """
    return hashes ^ np.uint8(0x55)


def copies_among(hashes: Hashes, max_distance: int, threads: int) -> Links:
    """Links between hashes [N, 32] at most `max_distance` bits apart, plain or with one of them mirrored; `distance` in
    bits.

    Equal hashes are linked in a chain. When there are too many links, only a minimum spanning forest is kept. The
    result does not depend on `threads`.
    """
    unique, of_hash, ring = _distinct(hashes)
    words = np.ascontiguousarray(unique).view(np.uint64)
    plain = _near(words, max_distance, np.uint64(0), LinkKind.SAME_PICTURE, threads)
    turned = _near(words, max_distance, _EVERY_OTHER_COLUMN, LinkKind.SAME_PICTURE_MIRRORED, threads)
    near = _plain_first(plain, turned)
    return united(ring, links(of_hash[near.first], of_hash[near.second], near.distance, near.kind))


def _distinct(hashes: Hashes) -> tuple[Hashes, Ints, Links]:
    """The distinct hashes, the first index of each, and links of distance 0 between equal ones."""
    if not len(hashes):
        return hashes.reshape(0, BITS // 8), np.empty(0, np.int64), links([], [], [])
    whole = np.ascontiguousarray(hashes).view(np.dtype((np.void, BITS // 8))).reshape(-1)
    _, first, number = np.unique(whole, return_index=True, return_inverse=True)
    order = np.argsort(number, kind="stable")
    equal = number[order][1:] == number[order][:-1]
    again = links(order[:-1][equal], order[1:][equal], np.zeros(int(equal.sum())), LinkKind.SAME_PICTURE)
    return hashes[first], first.astype(np.int64), again


def _plain_first(plain: Links, turned: Links) -> Links:
    """Both sets of links; a pair near in plain form counts as plain, however near it is mirrored."""
    nodes = int(max(plain.second.max(initial=0), turned.second.max(initial=0))) + 1
    already_linked = np.isin(turned.first * nodes + turned.second, plain.first * nodes + plain.second)
    return united(plain, turned.only(~already_linked))


def _near(words: Words, max_distance: int, turn: np.uint64, kind: LinkKind, threads: int) -> Links:
    """Links between distinct hashes [N, 4], one of each pair XORed with `turn`."""
    bands = _bands(len(words), max_distance)
    near = links([], [], [], kind)
    with ThreadPoolExecutor(threads) as pool:
        for some in pool.map(lambda band: _near_by(words, band, max_distance, turn, kind), bands):
            near = _thinned(united(near, some), len(words))
    return near


def _near_by(words: Words, band: _Band, max_distance: int, turn: np.uint64, kind: LinkKind) -> Links:
    """Links between hashes that are near in this band."""
    key = _keys(words, band)
    order = np.argsort(key, kind="stable")
    key, columns = key[order], np.ascontiguousarray(words[order].T)
    starts = np.searchsorted(key, np.arange((1 << (band.stop - band.start)) + 1)).astype(np.int32)
    occupied = starts[1:] > starts[:-1]
    turned = _turned_key(band, turn)
    # of two partner keys only the smaller searches: the one without the highest differing bit
    smaller = [np.flatnonzero(key & np.int32(1 << bit) == 0) for bit in range(band.stop - band.start)]
    elsewhere = columns[[word for word in range(_WORDS) if word != band.start // 64][:2]]
    gathered = [links([], [], [], kind)]
    for change in band.masks:
        differ = change ^ turned
        looking = smaller[differ.bit_length() - 1] if differ else np.arange(len(key))
        partner = key[looking] ^ np.int32(differ)
        there = np.flatnonzero(occupied[partner])
        looking, partner = looking[there], partner[there]
        # where a key is its own partner, each position searches forwards
        begin = starts[partner] if differ else looking + 1
        count = starts[partner + 1] - begin
        has_partner = count > 0
        for first, other in _expanded(looking[has_partner], begin[has_partner], count[has_partner]):
            near = _differing(elsewhere, first, other, turn) <= max_distance  # almost none is
            first, other = first[near], other[near]
            bits = _differing(columns, first, other, turn)
            near = bits <= max_distance
            if near.any():
                gathered.append(links(order[first[near]], order[other[near]], bits[near], kind))
        if sum(map(len, gathered)) > _LINKS_KEPT:
            gathered = [_thinned(united(*gathered), len(words))]
    return united(*gathered)


def _expanded(looking: Ints, begin: Ints, count: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of each searching position with the `count` positions from `begin` on, in batches."""
    ends = np.cumsum(count)
    start = 0
    while start < len(looking):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + _COMPARED_AT_ONCE, side="right")))
        some = count[start:stop]
        ahead = np.arange(int(some.sum())) - np.repeat(np.cumsum(some) - some, some)
        yield np.repeat(looking[start:stop], some), np.repeat(begin[start:stop], some) + ahead
        start = stop


def _differing(columns: Words, first: Ints, other: Ints, turn: np.uint64) -> npt.NDArray[np.uint16]:
    """In how many bits [P] the pairs differ, over the words `columns` [words, N], after XOR with `turn`."""
    bits = np.zeros(len(first), np.uint16)
    for column in columns:
        bits += np.bitwise_count(column[first] ^ column[other] ^ turn)
    return bits


def _keys(words: Words, band: _Band) -> npt.NDArray[np.int32]:
    """Bits of a band as a number [N]; bit 0 is the lowest of the first word."""
    word, shift = divmod(band.start, 64)
    key = words[:, word] >> np.uint64(shift)
    if band.stop > (word + 1) * 64:
        key = key | words[:, word + 1] << np.uint64(64 - shift)
    return (key & np.uint64((1 << (band.stop - band.start)) - 1)).astype(np.int32)


def _turned_key(band: _Band, turn: np.uint64) -> int:
    return int(_keys(np.full((1, _WORDS), turn), band)[0])


def _bands(count: int, max_distance: int) -> list[_Band]:
    """The cheapest way to cut 256 bits."""
    return min((_cut(bands, max_distance) for bands in range(8, 33)), key=lambda cut: _cost(cut, count))


def _cut(bands: int, max_distance: int) -> list[_Band]:
    """Bands of nearly equal width. With r = a m + c, c + 1 of them may differ in a bits and the rest in a - 1: if all
    differed in more, the hashes would differ in more than r."""
    most, left = divmod(max_distance, bands)
    ends = [round(BITS * number / bands) for number in range(bands + 1)]
    allowed = [most if number <= left else most - 1 for number in range(bands)]
    return [_Band(a, b, c) for a, b, c in zip(ends, ends[1:], allowed, strict=False) if c >= 0]


def _cost(cut: list[_Band], count: int) -> float:
    tables = sum(float(1 << (band.stop - band.start)) for band in cut)
    ways = sum(_ways(band) * (_LOOKUP + _COMPARISON * count / (1 << (band.stop - band.start))) for band in cut)
    return tables + count * ways


def _ways(band: _Band) -> int:
    width, ways, term = band.stop - band.start, 0, 1
    for changes in range(band.changes + 1):
        ways += term
        term = term * (width - changes) // (changes + 1)
    return ways


def _thinned(pairs: Links, nodes: int) -> Links:
    """A minimum spanning forest when there are very many links; otherwise all of them."""
    if len(pairs) <= _LINKS_KEPT:
        return pairs
    length = csr_array((pairs.distance + 1.0, (pairs.first, pairs.second)), shape=(nodes, nodes))
    forest = minimum_spanning_tree(length).tocoo()
    in_forest = np.isin(pairs.first * nodes + pairs.second, forest.row.astype(np.int64) * nodes + forest.col)
    return pairs.only(in_forest)
