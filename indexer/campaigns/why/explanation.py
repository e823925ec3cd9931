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
    """How compact a campaign is, and how far from others, by `measure`: cosines of embeddings, or 1 - distance / 128 of
    PDQ hashes where embeddings do not count.

    `cohesion`: mean and lowest similarity of images to their nearest exemplar, exemplars left out; None when nothing
    can be compared. `to_others`: similarity of the nearest pair of exemplars with another campaign; None if there is no
    other. A campaign is well separated when `to_others` is far below `cohesion_lowest`.
    """

    measure: Literal["cosine", "pdq"]
    cohesion: float | None
    cohesion_lowest: float | None
    to_others: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why these images are one campaign. Attributes:
    compared: how many images were compared pairwise, at most `MOST_COMPARED`; the rest refers to these.
    pictures: how many different pictures they are copies of, by PDQ.
    pairs: how many pairs have each kind as their strongest evidence; `none`: no direct link.
    strongest, weakest: of the links that hold all of them together (a minimum spanning tree), strongest first and
        weakest first. A weak link that many images depend on is where a campaign would split in two.
    graph: the links to draw: the spanning tree of the first `MOST_DRAWN` images, and the two nearest links of each.
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
        exemplar: which of them [N] are exemplars.
        bounds: what counts as a link.
        every: the exemplars of all campaigns.
    """
    compared, standing = traces[:MOST_COMPARED], np.array(exemplar[:MOST_COMPARED], np.bool_)
    nearness = Nearness(compared, bounds)
    backbone = nearness.backbone()
    half = min(MOST_LINKS, -(-len(backbone) // 2))
    ours = [trace for trace, stands in zip(compared, standing, strict=True) if stands]
    related = related_campaigns(campaign, ours, every, bounds.origin)
    embedded = any(trace.vector is not None for trace in compared)
    similarity = nearness.cosine if embedded else 1 - nearness.bits / (BITS / 2)
    comparable = np.array([(trace.vector if embedded else trace.pdq) is not None for trace in compared], np.bool_)
    mean, lowest = _cohesion(similarity, standing, comparable)
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
    similarity: npt.NDArray[np.floating], standing: npt.NDArray[np.bool_], comparable: npt.NDArray[np.bool_]
) -> tuple[float | None, float | None]:
    models, others = standing & comparable, ~standing & comparable
    if not models.any() or not others.any():
        return None, None
    nearest = similarity[np.ix_(others, models)].max(axis=1).astype(np.float64)
    return round(float(np.sort(nearest).mean()), 6), round(float(nearest.min()), 6)
