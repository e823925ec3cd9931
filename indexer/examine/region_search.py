"""Which known fakes contain a region of a picture."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from indexer.catalog.copies import local_features
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import ImageDetails
from indexer.copies.features import FEATURES_FINGERPRINT, LocalFeatures, readable
from indexer.errors import UsageError
from indexer.examine.regions import CANDIDATES, Box, find_region, region_features
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.search.candidates import list_limit
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace

SMALLEST_REGION: Final = 24
"""Pixels of the shorter side of a region."""
FIRM_INLIERS: Final = 8
_LIMITS: Final = (
    "A shared region means that both pictures show the same thing, not which of them was there first, nor that "
    "either is fake.",
    "Regions that are smooth, small, mirrored or redrawn are missed; finding nothing proves nothing.",
    f"Only the {CANDIDATES} images that share most with the region are looked at closely: one after them is missed.",
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


class RegionSearcher:
    """Answers which known fakes contain a region, by the same local features and index as any search. Threads may share
    it.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._counted: tuple[int, int] | None = None

    def by_bytes(self, data: bytes, box: Box, limit: int | None = None) -> RegionAnswer:
        """The known fakes that contain what a box shows.

        Args:
            data: the picture's file.
            box: left, top, right and bottom in pixels of the upright picture.
            limit: most matches; None takes the setting.

        Raises:
            ImageRejectedError: the bytes are no picture that is accepted.
            UsageError: the limit is out of range, the box does not lie in the picture or is too small, or no known fake
                has local features.
        """
        settings = self._workspace.settings
        most = list_limit(limit, settings)
        picture = decode(data, ImageLimits.from_settings(settings))
        left, top, right, bottom = box
        if not (0 <= left < right <= picture.rgb.width and 0 <= top < bottom <= picture.rgb.height):
            raise UsageError(
                f"the box {left},{top},{right},{bottom} does not lie in the picture, which has {picture.rgb.width} x "
                f"{picture.rgb.height} pixels: give left,top,right,bottom"
            )
        if min(right - left, bottom - top) < SMALLEST_REGION:
            raise UsageError(f"a region needs {SMALLEST_REGION} pixels or more on each side: draw a larger box")
        if not settings.local_features:
            raise UsageError("local features are turned off: set DEJAFAKE_LOCAL_FEATURES to search by region")
        self._workspace.index.refresh()
        view = self._workspace.index.view()
        query = region_features(picture.rgb, box)
        near = [image_id for image_id, _ in view.features_near(query, CANDIDATES, ImageFilter(label=LabelValue.FAKE))]
        with self._workspace.catalog.reading() as session:
            searched = self._searched(session, view.change_id)
            packed = local_features.of(session, FEATURES_FINGERPRINT, near)
        hits = find_region(_unpacked(near, packed), query, box)
        with self._workspace.catalog.reading() as session:
            details = images.details(session, [hit.image_id for hit in hits])
        matches = tuple(
            RegionMatch(details[hit.image_id], hit.inliers, hit.matches, hit.inliers >= FIRM_INLIERS, hit.box)
            for hit in hits
            if hit.image_id in details and details[hit.image_id].image.label.value is LabelValue.FAKE
        )
        return RegionAnswer(picture.sha256, box, len(query.upright), searched, matches[:most], _LIMITS)

    def _searched(self, session: Session, change_id: int) -> int:
        """How many known fakes have features; counted again when something has changed."""
        counted = self._counted
        if counted is None or counted[0] != change_id:
            counted = change_id, local_features.count_fakes(session, FEATURES_FINGERPRINT)
            self._counted = counted
        if not counted[1]:
            raise UsageError("no known fake is prepared for this: run `dejafake regions prepare` first")
        return counted[1]


def _unpacked(image_ids: Iterable[int], packed: Mapping[int, bytes]) -> Iterator[tuple[int, LocalFeatures]]:
    """The features of these images, where they have any that can be read."""
    for image_id in image_ids:
        features = readable(packed.get(image_id, b""), f"image {image_id}")
        if features is not None:
            yield image_id, features
