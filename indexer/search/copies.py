"""Which known images may be altered copies of a query, by copy embeddings and local features, and what comparing the
features of the best of them shows.

The candidates are the same whatever is listed: their number depends on no limit, and a filter only adds to them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import Final, TypeAlias

import numpy as np

from indexer.catalog.copies import local_features
from indexer.catalog.database import Catalog
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.copies.features import FEATURES_FINGERPRINT, LocalFeatures, QueryFeatures, readable
from indexer.copies.verification.overlap import NEAR_BITS, Overlap
from indexer.copies.verification.thumbnails import Thumbnails
from indexer.imaging.content import has_few_tones
from indexer.index import IndexView
from indexer.search.candidates import Asked, visible
from indexer.search.probe import CopyEmbeddings, Probe
from indexer.search.stopwatch import Stopwatch
from indexer.vocabulary import LabelValue

VERIFIED: Final = 50
"""The best candidates, of all indexes together, whose features are compared."""
LOOKED_AT: Final = 20
"""Of these, the most whose thumbnails are compared too."""
REGISTERED: Final = 5
"""The most whose PDQ hashes are near and that are laid over the query by their pixels, where features do not."""
_CROWD_LABELS: Final = (LabelValue.FAKE, LabelValue.AUTHENTIC)

Finding: TypeAlias = Callable[[ImageFilter], list[int]]


@dataclass(frozen=True, slots=True)
class NearCopies:
    """Internal ids of the images with the nearest copy embeddings, the highest score first. `deciding`: of all that the
    asker may see, and where copies crowd, of each label that decides; `listed`: of those that the filter admits."""

    deciding: tuple[int, ...] = ()
    listed: tuple[int, ...] = ()

    @classmethod
    def of(cls, view: IndexView, asked: Asked) -> "NearCopies":
        """What the copy index finds; nothing for a query without a copy embedding."""
        copies = asked.probe.copies
        if copies is None:
            return cls()
        nearest = _nearest(view, asked, copies, visible())
        deciding, smallest = [image_id for image_id, _ in nearest], asked.thresholds.min_copy_score
        if smallest is not None and len(nearest) == VERIFIED and nearest[-1][1] >= smallest:
            deciding += _of_each_label(lambda image_filter: _nearest_ids(view, asked, copies, image_filter))
        image_filter = asked.options.filter
        listed = deciding if image_filter == ImageFilter() else _nearest_ids(view, asked, copies, image_filter)
        return cls(tuple(dict.fromkeys(deciding)), tuple(dict.fromkeys(listed)))


@dataclass(frozen=True, slots=True)
class Verified:
    """What features that lie alike showed, by internal id; `deciding` and `listed` as of `NearCopies`. `compared`:
    whether there were features of the query to compare."""

    overlaps: Mapping[int, Overlap]
    deciding: frozenset[int] = frozenset()
    listed: frozenset[int] = frozenset()
    compared: bool = False


NOT_VERIFIED: Final = Verified({})


class Verifier:
    """Compares the local features of queries with those of known images.

    Args:
        catalog: keeps the features of the images.
        thumbnails: of the images.
    """

    def __init__(self, catalog: Catalog, thumbnails: Thumbnails) -> None:
        self._catalog = catalog
        self._thumbnails = thumbnails

    def verify(self, view: IndexView, asked: Asked, near: NearCopies, watch: Stopwatch) -> Verified:
        """Compares the best candidates of both indexes with the query.

        Args:
            view: of the index.
            asked: the query; nothing is compared without local features of it.
            near: what the copy index found.
            watch: is told how long it took to take features and find images that share some, and to compare them.
        """
        if asked.probe.details is None:
            return NOT_VERIFIED
        with watch.step("features"):
            query = asked.probe.details()
        bits = _near_by_hash(view, asked)
        overlaps: dict[int, Overlap | None] = {}

        def among(image_filter: ImageFilter, embedded: Sequence[int]) -> list[int]:
            with watch.step("features"):
                voted = _voted(view, asked, query, image_filter)
            best = _in_turn([*view.admitted([*bits], image_filter), *embedded], voted)
            with watch.step("verify"):
                overlaps.update(
                    self._compared(
                        asked.probe, query, [image_id for image_id in best if image_id not in overlaps], bits
                    )
                )
            return best

        deciding = among(visible(), near.deciding[:VERIFIED])
        if len(deciding) == VERIFIED and all(overlaps[image_id] is not None for image_id in deciding):
            copies = asked.probe.copies
            deciding += _of_each_label(
                lambda image_filter: among(
                    image_filter,
                    [] if copies is None else _nearest_ids(view, asked, copies, image_filter),
                )
            )
        image_filter = asked.options.filter
        listed = deciding if image_filter == ImageFilter() else among(image_filter, near.listed)
        shown = {image_id: overlap for image_id, overlap in overlaps.items() if overlap is not None}
        return Verified(
            shown, frozenset(shown.keys() & {*deciding}), frozenset(shown.keys() & {*listed}), compared=True
        )

    def _compared(
        self, probe: Probe, query: QueryFeatures, image_ids: Sequence[int], bits: Mapping[int, int]
    ) -> dict[int, Overlap | None]:
        """What each of the images has in common with the query; `bits` as of `_near_by_hash`."""
        from indexer.copies.verification.verifying import verify_all  # loads OpenCV

        with self._catalog.reading() as session:
            codes = local_features.of(session, FEATURES_FINGERPRINT, image_ids)
        read = ((image_id, readable(code, f"image {image_id}")) for image_id, code in codes.items())
        known = {image_id: features for image_id, features in read if features}
        overlaps = dict(zip(known, verify_all(query, [*known.values()], probe.inner), strict=True))
        shown = {image_id: overlap for image_id, overlap in overlaps.items() if overlap is not None}
        return dict.fromkeys(image_ids) | shown | self._by_pixels(probe, query, known, shown, bits)

    def _by_pixels(
        self,
        probe: Probe,
        query: QueryFeatures,
        known: Mapping[int, LocalFeatures],
        overlaps: Mapping[int, Overlap],
        bits: Mapping[int, int],
    ) -> dict[int, Overlap]:
        """What the pixels make of the overlaps that cover enough for the same picture, and of pictures whose hashes are
        near and whose features show no such overlap."""
        from indexer.copies.verification.comparing import SmallPicture, by_pixels  # loads OpenCV
        from indexer.copies.verification.deciding import covers

        wide = {image_id: overlap for image_id, overlap in overlaps.items() if covers(overlap, probe.inner)}
        likeliest = sorted(wide, key=lambda image_id: (-wide[image_id].inliers, image_id))[:LOOKED_AT]
        unlaid = [image_id for image_id in bits if image_id in known and image_id not in wide][:REGISTERED]
        small = probe.small() if probe.small is not None and (likeliest or unlaid) else None
        if small is None:
            return {}
        with self._catalog.reading() as session:
            names = images.sha256_of(session, [*likeliest, *unlaid])
        asked = SmallPicture(small, query.upright.size)
        decided = {}
        for image_id in (*likeliest, *unlaid):
            thumbnail = self._thumbnails.get(names[image_id]) if image_id in names else None
            if thumbnail is None:
                continue
            other = SmallPicture(thumbnail, known[image_id].size)
            overlap = by_pixels(asked, other, wide.get(image_id), bits.get(image_id), probe.inner)
            if overlap is not None:
                decided[image_id] = overlap
        return decided


def _near_by_hash(view: IndexView, asked: Asked) -> dict[int, int]:
    """The images whose PDQ hashes are near enough for their pixels to be compared, the nearest first, and how many bits
    differ. None for a query of few tones: two posts or pages of text are as near."""
    if not asked.probe.hashes or not asked.readable or has_few_tones(asked.probe.facts.content):
        return {}
    hits = view.same_picture([each.bits for each in asked.probe.hashes], NEAR_BITS, visible())
    nearest: dict[int, int] = {}
    for hit in sorted(hits, key=lambda hit: (hit.distance, hit.image_id)):
        if hit.image_id != asked.itself:
            nearest.setdefault(hit.image_id, hit.distance)
    return dict([*nearest.items()][:LOOKED_AT])


def _nearest_ids(view: IndexView, asked: Asked, copies: CopyEmbeddings, image_filter: ImageFilter) -> list[int]:
    return [image_id for image_id, _ in _nearest(view, asked, copies, image_filter)]


def _nearest(
    view: IndexView, asked: Asked, copies: CopyEmbeddings, image_filter: ImageFilter
) -> list[tuple[int, float]]:
    """The images of the nearest copy embeddings, each with the best score of any view; equal ones by rising id."""
    hits = view.nearest_copies(copies.vectors, VERIFIED + 1, image_filter)
    scores = hits.scores - copies.levels[:, None]
    best: dict[int, float] = {}
    for image_id, score in zip(hits.ids.ravel().tolist(), scores.ravel().tolist(), strict=True):
        if image_id >= 0 and image_id != asked.itself and np.isfinite(score):
            best[image_id] = max(score, best.get(image_id, score))
    return sorted(best.items(), key=lambda scored: (-scored[1], scored[0]))[:VERIFIED]


def _voted(view: IndexView, asked: Asked, query: QueryFeatures, image_filter: ImageFilter) -> list[int]:
    """The images that share most features with the query, the most votes first."""
    hits = view.features_near(query, VERIFIED + 1, image_filter)
    return [image_id for image_id, _ in hits if image_id != asked.itself][:VERIFIED]


def _of_each_label(find: Finding) -> list[int]:
    """The nearest of each label that decides: many copies that nobody labelled must not hide the one that somebody
    did."""
    return [image_id for label in _CROWD_LABELS for image_id in find(replace(visible(), label=label))]


def _in_turn(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """The best of two lists, taken from each in turn, each image once."""
    pairs: Iterable[int | None] = chain.from_iterable(zip_longest(first, second))
    return [image_id for image_id in dict.fromkeys(pairs) if image_id is not None][:VERIFIED]
