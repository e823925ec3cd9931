"""Where two pictures differ, in numbers and words: what goes to JSON, to a terminal and under a drawing.

Arrays are `indexer.examine.difference.difference`'s. Nothing here loads OpenCV.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of an upright picture, right and bottom exclusive."""
Row = tuple[float, float, float]

SMALLEST: Final = 0.0005
"""Share of the shared area below which a region is not counted: specks are left by noise."""
MOSTLY: Final = 0.5
"""Share of the shared area from which on two pictures have no more than a part in common."""
_VISIBLE_PART: Final = 0.005

LIMIT_DIRECTION: Final = (
    "A difference says that one of the two was changed, not which one, and not that the other is authentic."
)


@dataclass(frozen=True, slots=True)
class Region:
    """One place where the pictures differ.

    `box_a` and `box_b` enclose it in each picture; `share` is its part of the area both show, in [0, 1]; `strength`
    the largest difference in it, in multiples of the noise usual at such places.
    """

    box_a: Box
    box_b: Box
    share: float
    strength: float


@dataclass(frozen=True, slots=True)
class DifferenceFinding:
    """Where picture B differs from picture A.

    `registered` says whether they could be laid over each other, else `reason` says why not and the rest is null or
    empty. `homography` takes a pixel (x, y, 1) of A to one of B, both upright; `inliers` of `matches` pairs of points
    agree on it. `share` of the area both show differs, in `regions`, the largest first. `shown_of_a` is the share of
    A's area that B shows too, `shown_of_b` the other way round. Differences are looked for at `scale`, pixels of the
    comparison per pixel of A. `statements` says all of it in sentences.
    """

    registered: bool
    statements: tuple[str, ...]
    reason: str | None = None
    inliers: int = 0
    matches: int = 0
    mirrored: bool = False
    homography: tuple[Row, Row, Row] | None = None
    scale: float | None = None
    share: float | None = None
    regions: tuple[Region, ...] = ()
    shown_of_a: float | None = None
    shown_of_b: float | None = None


def not_compared(reason: str, inliers: int = 0, matches: int = 0) -> DifferenceFinding:
    """The finding on two pictures that were not laid over each other; `reason` is a clause."""
    statement = f"The pictures were not compared for differences: {reason}."
    return DifferenceFinding(registered=False, statements=(statement,), reason=reason, inliers=inliers, matches=matches)


def statements_on(
    share: float, regions: Sequence[Region], shown: tuple[float, float], smallest_side: int, *, mirrored: bool
) -> tuple[str, ...]:
    """A finding in sentences.

    Args:
        share: of the shared area that differs.
        regions: where.
        shown: the share of A that B shows, and the share of B that A shows.
        smallest_side: of the smallest region that is counted, in pixels of A.
        mirrored: whether B shows A mirrored.
    """
    said = ["B shows A mirrored."] if mirrored else []
    if share > MOSTLY:
        said.append(
            f"{share:.1%} of the shared area differs: the pictures may have no more than a part in common, such as a "
            "frame, a logo or a background."
        )
    elif regions:
        places = "1 region" if len(regions) == 1 else f"{len(regions)} regions"
        said.append(f"They differ in {places}, {share:.1%} of the shared area.")
    if regions:
        said.append(LIMIT_DIRECTION)
    else:
        said.append(
            f"No local difference was found. That does not exclude edits smaller than about {smallest_side} x "
            f"{smallest_side} pixels of A, or fainter than what saving and scaling left."
        )
    for name, other, part in (("A", "B", shown[0]), ("B", "A", shown[1])):
        if part < 1 - _VISIBLE_PART:
            said.append(f"{1 - part:.1%} of {name} lies outside of what {other} shows: a crop, a border or a caption.")
    return tuple(said)
