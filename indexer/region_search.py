"""Which known fakes contain a region of a picture: preparing the catalogue for that question, and asking it.

Optional: without `prepare_regions` nothing is stored and nothing is found.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np

from indexer.catalog import Catalog, images, region_features
from indexer.catalog.records import ImageDetails
from indexer.catalog.region_features import FeaturesState, StoredFeatures
from indexer.errors import ImageRejectedError, UsageError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.prefetch import prepared_ahead
from indexer.regions import FeatureIndex, RegionFeatures, features_of, find_region
from indexer.regions import region_features as query_features
from indexer.regions.features import DIMENSION, Box
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace

FEATURES_AN_IMAGE: Final = 96
SMALLEST_REGION: Final = 24
"""Pixels of the shorter side of a region."""
FIRM_INLIERS: Final = 8
_AT_ONCE: Final = 64
_LIMITS: Final = (
    "A shared region says that both pictures show the same thing, not which of them was there first, nor that either "
    "is fake.",
    "Regions that are smooth, small, mirrored or redrawn are missed; finding nothing says nothing.",
)


@dataclass(frozen=True, slots=True)
class RegionMatch:
    """A known fake that contains the region. `inliers` of `matches` local features lie alike; `firm` from 8 on. `box`
    is where, in pixels of the known picture: left, top, right, bottom."""

    image: ImageDetails
    inliers: int
    matches: int
    firm: bool
    box: Box


@dataclass(frozen=True, slots=True)
class RegionAnswer:
    """The known fakes that contain the region, the surest first. `searched`: how many were looked through;
    `features`: how many local features the region has, and with few there is little to find it by."""

    sha256: str
    box: Box
    features: int
    searched: int
    matches: tuple[RegionMatch, ...]
    limitations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preparation:
    """What `prepare_regions` did: `added` images have features now, `skipped` have neither original nor thumbnail."""

    added: int
    skipped: int
    state: FeaturesState


def prepare_regions(workspace: Workspace, observe: Callable[[int], None] = lambda more: None) -> Preparation:
    """Takes the local features of all known fakes that have none yet, from their originals, or else their thumbnails.

    Killed at any moment, it goes on where it was. `observe` is told how many more images were looked at.
    """
    limits = ImageLimits.from_settings(workspace.settings)

    def prepared(image: tuple[int, str]) -> StoredFeatures | None:
        data = workspace.originals.get(image[1]) or workspace.thumbnails.get(image[1])
        if data is None:
            return None
        try:
            return _stored(image[0], features_of(decode(data, limits).rgb, FEATURES_AN_IMAGE))
        except ImageRejectedError:  # kept before the limits were narrowed, or damaged since
            return None

    added = skipped = 0
    for batch in _lacking(workspace.catalog):
        ready = list(prepared_ahead(prepared, batch, workers=workspace.settings.decode_workers, window=2 * _AT_ONCE))
        kept = [one for one in ready if one is not None]
        with workspace.catalog.writing() as session:
            added += region_features.add(session, kept)
        skipped += len(ready) - len(kept)
        observe(len(ready))
    with workspace.catalog.reading() as session:
        return Preparation(added, skipped, region_features.state(session))


class RegionSearcher:
    """Answers which known fakes contain a region. Threads may share it; features are read when they have changed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._reading = Lock()
        self._state: FeaturesState | None = None
        self._index = FeatureIndex([])

    def by_bytes(self, data: bytes, box: Box, limit: int) -> RegionAnswer:
        """The known fakes that contain what a box shows.

        Args:
            data: the picture's file.
            box: left, top, right and bottom in pixels of the upright picture.
            limit: most matches.

        Raises:
            ImageRejectedError: the bytes are no picture that is accepted.
            UsageError: the box does not lie in the picture or is too small, or nothing was prepared.
        """
        settings = self._workspace.settings
        picture = decode(data, ImageLimits.from_settings(settings))
        left, top, right, bottom = box
        if not (0 <= left < right <= picture.rgb.width and 0 <= top < bottom <= picture.rgb.height):
            raise UsageError(
                f"the box {left},{top},{right},{bottom} does not lie in the picture, which has {picture.rgb.width} x "
                f"{picture.rgb.height} pixels: give left,top,right,bottom"
            )
        if min(right - left, bottom - top) < SMALLEST_REGION:
            raise UsageError(f"a region needs {SMALLEST_REGION} pixels or more on each side: draw a larger box")
        index = self._current()
        query = query_features(picture.rgb, box)
        hits = find_region(index, query, box)
        with self._workspace.catalog.reading() as session:
            details = images.details(session, [hit.image_id for hit in hits])
        matches = tuple(
            RegionMatch(details[hit.image_id], hit.inliers, hit.matches, hit.inliers >= FIRM_INLIERS, hit.box)
            for hit in hits
            if hit.image_id in details and details[hit.image_id].image.label.value is LabelValue.FAKE
        )
        return RegionAnswer(picture.sha256, box, len(query), len(index), matches[:limit], _LIMITS)

    def _current(self) -> FeatureIndex:
        with self._reading, self._workspace.catalog.reading() as session:
            state = region_features.state(session)
            if state.images == 0:
                raise UsageError("no known fake is prepared for this: run `dejafake regions prepare` first")
            if state != self._state:
                stored = region_features.everything(session)
                self._index = FeatureIndex(
                    ((one.image_id, _features(one)) for one in stored), threads=self._workspace.settings.threads
                )
                self._state = state
            return self._index


def _lacking(catalog: Catalog) -> Iterator[list[tuple[int, str]]]:
    after = 0
    while True:
        with catalog.reading() as session:
            batch = region_features.lacking(session, after, _AT_ONCE)
        if not batch:
            return
        yield batch
        after = batch[-1][0]


def _stored(image_id: int, features: RegionFeatures) -> StoredFeatures:
    return StoredFeatures(image_id, features.points.astype("<f4").tobytes(), features.descriptors.tobytes())


def _features(stored: StoredFeatures) -> RegionFeatures:
    return RegionFeatures(
        np.frombuffer(stored.points, "<f4").reshape(-1, 2).astype(np.float32),
        np.frombuffer(stored.descriptors, np.uint8).reshape(-1, DIMENSION),
    )
