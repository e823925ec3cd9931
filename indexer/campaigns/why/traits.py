"""What the images of a campaign have in common, and which of it is more common there than in the rest of the catalogue.

A one-sided Fisher's exact test per value, corrected over all values of a campaign by Benjamini & Hochberg (1995), which
keeps the false discovery rate below `FALSE_DISCOVERY_RATE`. The test treats images as independent, which copies of one
picture are not: it shows what stands out, not how certain that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control, fisher_exact
from sqlalchemy.orm import Session

from indexer.catalog.campaigns import traits
from indexer.vocabulary import Trait

FALSE_DISCOVERY_RATE = 0.05
LEAST_IMAGES = 2
"""A value that one image alone has is not shared."""
MOST_VALUES = 50
"""Values tested of one trait, the most frequent ones."""


@dataclass(frozen=True, slots=True)
class SharedTrait:
    """A value that `images` of the campaign's `of` known fakes have, and `elsewhere` of the `of_elsewhere` others of
    the catalogue. `p` is Fisher's, `adjusted_p` after Benjamini-Hochberg; None when there are no others to compare
    with. Counts are of images; shares are `images / of`."""

    trait: Trait
    value: str
    images: int
    of: int
    elsewhere: int
    of_elsewhere: int
    p: float | None
    adjusted_p: float | None

    @property
    def over_represented(self) -> bool:
        """Whether it is more common here than elsewhere beyond what chance explains."""
        return self.adjusted_p is not None and self.adjusted_p <= FALSE_DISCOVERY_RATE


def shared_traits(session: Session, campaign_id: str) -> tuple[SharedTrait, ...]:
    """The traits shared by at least two images of a campaign: over-represented ones first, then the most frequent."""
    of, everywhere = traits.known_fakes(session, campaign_id), traits.known_fakes(session)
    counted = []
    for trait in Trait:
        here = traits.members_with(session, trait, campaign_id, least=LEAST_IMAGES, most=MOST_VALUES)
        overall = traits.known_fakes_with(session, trait, here) if here else {}
        counted += [(trait, value, count, max(overall.get(value, 0) - count, 0)) for value, count in here.items()]
    return against_catalogue(counted, of, everywhere - of)


def against_catalogue(
    counted: Sequence[tuple[Trait, str, int, int]], of: int, of_elsewhere: int
) -> tuple[SharedTrait, ...]:
    """Tests each (trait, value, images here, images elsewhere) against all others, and sorts the results."""
    p_values: list[float] = []
    if of_elsewhere > 0 and counted:
        tables = [np.array([[here, of - here], [there, of_elsewhere - there]]) for _, _, here, there in counted]
        p_values = [min(float(fisher_exact(table, alternative="greater").pvalue), 1.0) for table in tables]
    adjusted = false_discovery_control(p_values).tolist() if p_values else []
    tested = [
        SharedTrait(
            trait=trait,
            value=value,
            images=here,
            of=of,
            elsewhere=there,
            of_elsewhere=of_elsewhere,
            p=_rounded(p_values[number]) if p_values else None,
            adjusted_p=_rounded(adjusted[number]) if p_values else None,
        )
        for number, (trait, value, here, there) in enumerate(counted)
    ]
    order = list(Trait)
    return tuple(
        sorted(
            tested,
            key=lambda shared: (
                not shared.over_represented,
                -shared.images,
                order.index(shared.trait),
                shared.value,
            ),
        )
    )


def _rounded(p: float) -> float:
    """Three digits: further digits differ between machines."""
    return float(f"{p:.3g}")
