"""The explanation of one campaign, put together from its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from indexer.campaigns.why.nearness import BITS, Bounds, Link, LinkKind, Nearness, Traces
from indexer.campaigns.why.related import Exemplars, RelatedCampaign, related_campaigns

MOST_COMPARED = 1_500
"""Images of a campaign that are compared pair by pair: all, or the first ones, exemplars first, then the strongest."""
MOST_LINKS = 5
MOST_DRAWN = 48
_NEAREST_DRAWN = 2


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close a campaign is, and how far from others, by `measure`: cosines of embeddings, or 1 - distance / 128 of
    PDQ hashes where embeddings do not count.

    `cohesion`: mean and lowest similarity of images to their nearest exemplar, exemplars left out; None when nothing
    can be compared. `to_others`: similarity of its nearest pair of exemplars with another campaign; None: there is no
    other. A campaign is well separated when `to_others` is far below `cohesion_lowest`.
    """

    measure: Literal["cosine", "pdq"]
    cohesion: float | None
    cohesion_lowest: float | None
    to_others: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why these images are one campaign.

    Attributes:
        compared: images compared pair by pair, at most `MOST_COMPARED`; what follows is about them.
        pictures: how many different pictures they are copies of, by PDQ.
        pairs: how many pairs have each kind as their strongest evidence; `none`: no direct link.
        strongest, weakest: of the links that hold all of them together (a minimum spanning tree), strongest first and
            weakest first. A weak one that many images hang on is where a campaign would fall in two.
        graph: the links to draw: those that hold the first `MOST_DRAWN` images together, and each one's two nearest.
        closeness: of members, and of other campaigns.
        related: the nearest other campaigns.
    """

    compared: int
    pictures: int
    pairs: Mapping[LinkKind, int]
    strongest: tuple[Link, ...]
    weakest: tuple[Link, ...]
    graph: tuple[Link, ...]
    closeness: Closeness
    related: tuple[RelatedCampaign, ...]


def explain(
    campaign: str, traces: Sequence[Traces], exemplar: Sequence[bool], bounds: Bounds, every: Exemplars
) -> Explanation:
    """The explanation of a campaign.

    Args:
        campaign: its id.
        traces: its members, exemplars first, then by falling strength; the first `MOST_COMPARED` are compared.
        exemplar: which of them [N] stand for it.
        bounds: what counts as a link.
        every: the exemplars of all campaigns.
    """
    compared, standing = traces[:MOST_COMPARED], np.array(exemplar[:MOST_COMPARED], np.bool_)
    nearness = Nearness(compared, bounds)
    backbone = nearness.backbone()
    half = min(MOST_LINKS, -(-len(backbone) // 2))
    ours = [one for one, stands in zip(compared, standing, strict=True) if stands]
    related = related_campaigns(campaign, ours, every, bounds.origin)
    embedded = any(one.vector is not None for one in compared)
    similarity = nearness.cosine if embedded else 1 - nearness.bits / (BITS / 2)
    known = np.array([(one.vector if embedded else one.pdq) is not None for one in compared], np.bool_)
    mean, lowest = _cohesion(similarity, standing, known)
    return Explanation(
        compared=len(compared),
        pictures=nearness.pictures(),
        pairs=nearness.pairs(),
        strongest=backbone[:half],
        weakest=tuple(reversed(backbone[half:]))[:MOST_LINKS],
        graph=Nearness(compared[:MOST_DRAWN], bounds).graph(_NEAREST_DRAWN),
        closeness=Closeness(
            measure="cosine" if embedded else "pdq",
            cohesion=mean,
            cohesion_lowest=lowest,
            to_others=related[0].similarity if related else None,
        ),
        related=related,
    )


def _cohesion(
    similarity: npt.NDArray[np.floating], standing: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]
) -> tuple[float | None, float | None]:
    models, others = standing & known, ~standing & known
    if not models.any() or not others.any():
        return None, None
    nearest = similarity[np.ix_(others, models)].max(axis=1).astype(np.float64)
    return round(float(np.sort(nearest).mean()), 6), round(float(nearest.min()), 6)
