"""The local features of a catalogue: saved parts, parts in memory of what came since, and deletions. Searches never
wait for writers: each works on one state, and every change replaces the state with a new one.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

import faiss
import numpy as np

from indexer.copies.features.codebook import LISTS, codebook
from indexer.copies.features.local_features import LocalFeatures, QueryFeatures
from indexer.index.features.folder import FeatureFolder, OpenedParts
from indexer.index.features.part import Part, held, merged, part_of
from indexer.index.features.voting import NEIGHBOURS, likeliest, votes
from indexer.index.vectors.allowed import Allowed
from indexer.index.vectors.exact import Ids
from indexer.index.vectors.selection import RowSelector
from indexer.threads import SINGLE_QUERY, limit_faiss, thread_count

PROBES: Final = (4, 128)
"""Fewest and most of the inverted lists that are searched for each feature of a query."""
ASKED: Final = 150
"""Features of a query that ask, of those that it is compared by: the strongest of each part of it come first, and twice
as many find no more copies."""
SCANNED: Final = 1_000
"""Features that each feature of a query is to be compared with, at least, where so many lists hold as many."""
WORTH_THREADS: Final = 4_000_000
"""Features from which on one search uses several threads."""


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """The state one search works on. `gone`: deleted images that a part still holds, rising."""

    saved: tuple[Part, ...]
    recent: tuple[Part, ...]
    gone: Ids
    watermark: int
    tombstone_watermark: int
    selectors: "_Selectors" = field(default_factory=lambda: _Selectors())

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.saved + self.recent


class FeatureStore:
    """Packed local features by image id. Threads may share a store and call all its methods concurrently.

    Additions and deletions are held in memory until `write_snapshot`; after reopening the store, repeat the additions
    after `watermark` and the deletions after `tombstone_watermark`.
    """

    def __init__(self, folder: FeatureFolder, opened: OpenedParts | None, *, threads: int = 0) -> None:
        """A store on what was opened in a folder, or an empty one. `threads`: OpenMP threads of a search, 0: all."""
        self.folder = folder
        self._opened = opened
        self._threads = thread_count(threads)
        self._writing = threading.Lock()
        self._state = _State(
            opened.parts if opened else (),
            (),
            opened.gone if opened else np.empty(0, np.int64),
            opened.manifest.watermark if opened else 0,
            opened.manifest.tombstone_watermark if opened else 0,
        )

    @classmethod
    def open(cls, folder: FeatureFolder, *, threads: int = 0) -> "FeatureStore":
        """What is current in `folder`, memory-mapped; an empty store if there is nothing.

        Everything but codes and image ids in the lists is verified against its checksum; those only by `check`.

        Raises:
            FingerprintMismatchError: it holds features of another method or codebook.
            VectorIndexError: it is damaged or cannot be read.
        """
        return cls(folder, folder.opened(folder.open), threads=threads)

    def check(self, pause: Callable[[], None] = lambda: None) -> None:
        """Verify all files of what was opened against their checksums; reads them all, about a second per gigabyte.
        `pause` is called regularly and may raise to abort.

        Raises:
            VectorIndexError: they are damaged, or another process has removed some.
        """
        if self._opened is not None:
            self._opened.manifest.check_files(self.folder.path, pause)

    def at_this_moment(self) -> "FeatureStore":
        """A read-only view of the current content, unaffected by later additions and deletions."""
        return copy(self)  # a state is never changed, only replaced

    @property
    def snapshot(self) -> str | None:
        """Name of what this store was opened on."""
        return self._opened.name if self._opened else None

    @property
    def watermark(self) -> int:
        """Everything up to this feature row's id was added."""
        return self._state.watermark

    @property
    def tombstone_watermark(self) -> int:
        """Every deletion up to this tombstone id was made."""
        return self._state.tombstone_watermark

    @property
    def count(self) -> int:
        """The number of images that can be found."""
        return sum(len(part.images) for part in self._state.parts) - len(self._state.gone)

    @property
    def tail(self) -> int:
        """The number of images to be found that are not saved."""
        recent = self._state.recent
        return sum(len(part.images) for part in recent) - int(np.count_nonzero(held(recent, self._state.gone)))

    @property
    def deleted(self) -> int:
        """The number of deleted images that are saved."""
        return int(np.count_nonzero(held(self._state.saved, self._state.gone)))

    def add(self, ids: Ids, packed: Sequence[bytes], watermark: int) -> None:
        """Make the packed features of images searchable at once; those of an image that is here are left unchanged.

        Args:
            ids: [N] int64, >= 0.
            packed: N, empty of a picture with too little in it.
            watermark: the newest feature row's id among everything added so far.

        Raises:
            UsageError: these are no packed features of this version; nothing was added.
        """
        with self._writing:
            here = held(self._state.parts, ids).tolist()
            given = zip(ids.tolist(), packed, here, strict=True)
            new = {image_id: data for image_id, data, known in given if data and not known}
            recent = self._state.recent
            if new:
                part = part_of(np.fromiter(new, np.int64, len(new)), [*new.values()], codebook())
                recent = _grown(recent, part, self._state.gone)
            self._state = self._after(recent=recent, watermark=max(self._state.watermark, watermark))

    def delete(self, ids: Ids, tombstone_watermark: int) -> None:
        """Remove images from searches at once; unknown ids are ignored.

        Args:
            ids: [N] int64.
            tombstone_watermark: the newest tombstone id among everything deleted so far.
        """
        with self._writing:
            gone = np.union1d(self._state.gone, ids)
            newest = max(self._state.tombstone_watermark, tombstone_watermark)
            self._state = self._after(gone=gone, tombstone_watermark=newest)

    def _after(
        self,
        *,
        recent: tuple[Part, ...] | None = None,
        gone: Ids | None = None,
        watermark: int | None = None,
        tombstone_watermark: int | None = None,
    ) -> _State:
        state = self._state
        recent = state.recent if recent is None else recent
        gone = state.gone if gone is None else gone
        return replace(
            state,
            recent=recent,
            gone=gone[held(state.saved + recent, gone)],
            watermark=state.watermark if watermark is None else watermark,
            tombstone_watermark=state.tombstone_watermark if tombstone_watermark is None else tombstone_watermark,
            selectors=_Selectors(),
        )

    def search(self, query: QueryFeatures, k: int, allowed: Allowed | None = None) -> list[tuple[int, float]]:
        """Up to k images that share features with the query or with its mirror image, and what the features voted for
        each, the likeliest first; equal votes by rising id.
        """
        state = self._state
        sides = [_asked(side) for side in (query.upright, query.mirrored) if len(side)]
        parts = [part for part in state.parts if part.features]
        if not sides or not parts:
            return []
        total = sum(part.features for part in parts)
        limit_faiss(self._threads if total > WORTH_THREADS else SINGLE_QUERY)
        book = codebook()
        rotated = np.ascontiguousarray(np.concatenate([book.rotated(side.descriptors) for side in sides]))
        probes = int(np.clip(-(-SCANNED * LISTS // total), *PROBES))
        _, lists = _coarse().search(rotated, probes)
        selector = state.selectors.of(state, allowed)
        near = [part.nearest(rotated, lists, NEIGHBOURS, selector) for part in parts]
        distances, ids = (np.concatenate(block, axis=1) for block in zip(*near, strict=True))
        ends = np.cumsum([0, *(len(side) for side in sides)])
        voted = [votes(distances[rows], ids[rows]) for rows in map(slice, ends[:-1].tolist(), ends[1:].tolist())]
        return likeliest(voted, k)

    def sample(self, count: int) -> dict[int, int]:
        """The digests (`digest_of`) of the packed features of up to `count` saved images to be found and as many of
        the others, by image id.
        """
        sampled: dict[int, int] = {}
        for parts in (self._state.saved, self._state.recent):
            if parts:
                images = np.concatenate([part.images for part in parts])
                images = images[~np.isin(images["id"], self._state.gone)]
                rows = np.linspace(0, len(images) - 1, min(count, len(images))).astype(np.int64)
                sampled.update((int(row["id"]), int(row["digest"])) for row in images[rows])
        return sampled

    def write_snapshot(self, pause: Callable[[], None] = lambda: None) -> str:
        """Save what is to be found, for `open`: the recent parts as one, merged with saved ones of like size. Needs the
        folder's lock. This store keeps its own state, so searches are unaffected. Returns the name of what is current.

        Raises:
            VectorIndexError: it could not be written; what was current stays so.
        """
        state = self._state
        return self.folder.save(
            self._opened, state.recent, state.gone, state.watermark, state.tombstone_watermark, pause
        )


class _Selectors:
    """What a state lets be found, for the filter asked with last: at a million images worth keeping."""

    def __init__(self) -> None:
        self._last: tuple[Allowed | None, RowSelector | None] | None = None

    def of(self, state: _State, allowed: Allowed | None) -> RowSelector | None:
        """The images that a search of a state may find; None when these are all."""
        if allowed is None and not len(state.gone):
            return None
        last = self._last
        if last is None or last[0] is not allowed:
            ids = np.arange(int(max(part.ids.max(initial=0) for part in state.parts)) + 1)
            flags = np.ones(len(ids), np.bool_) if allowed is None else allowed.mask(ids).copy()
            flags[state.gone] = False
            last = (allowed, RowSelector(np.packbits(flags, bitorder="little")))
            self._last = last
        return last[1]


def _grown(recent: tuple[Part, ...], part: Part, gone: Ids) -> tuple[Part, ...]:
    """Parts with another one, few: each holds more than twice what the next does."""
    joined: Iterable[Part] = (part,)
    size = part.features
    kept = list(recent)
    while kept and kept[-1].features <= 2 * size:
        size += kept[-1].features
        joined = (kept.pop(), *joined)
    together = tuple(joined)
    return (*kept, part if len(together) == 1 else merged(together, gone, codebook()))


def _asked(side: LocalFeatures) -> LocalFeatures:
    """The features of a side of a query that ask."""
    return side.rows(np.arange(min(ASKED, len(side))))


@cache
def _coarse() -> "faiss.IndexFlatL2":
    """The centroids of the inverted lists."""
    lists = codebook().lists
    index = faiss.IndexFlatL2(lists.shape[1])
    index.add(np.ascontiguousarray(lists))
    return index
