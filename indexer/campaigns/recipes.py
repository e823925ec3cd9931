"""Links between fakes whose files name the same recipe: model hash, seed and prompt.

Whoever knows all three can make the same picture again, and hardly anybody else arrives at them. It is what the files
say of themselves: absent means nothing, and it can be forged to bring an image into a campaign.
"""

from collections.abc import Sequence

import numpy as np

from indexer.campaigns.graph import SMALLEST_DISTANCE, Links, links
from indexer.catalog.records import ProvenanceFinding

Recipe = tuple[str, str, str]
"""Model hash, seed, prompt."""


def recipe_of(provenance: Sequence[ProvenanceFinding]) -> Recipe | None:
    """The recipe a file names, None unless it names all three parts."""
    for finding in provenance:
        said = finding.fields.get("generation", {})
        seed, prompt = said.get("seed"), said.get("prompt")
        if finding.model_hash and seed and prompt:
            return finding.model_hash, seed, prompt
    return None


def recipe_links(recipes: Sequence[Recipe | None]) -> Links:
    """Links between images [N] of one recipe: a ring through them, which holds them together with two links each
    however many they are. They are as near as links of embeddings can be."""
    of_recipe: dict[Recipe, list[int]] = {}
    for place, recipe in enumerate(recipes):
        if recipe is not None:
            of_recipe.setdefault(recipe, []).append(place)
    rings = [np.array(places, np.int64) for places in of_recipe.values() if len(places) > 1]
    if not rings:
        return links([], [], [])
    first, second = np.concatenate(rings), np.concatenate([np.roll(ring, -1) for ring in rings])
    return links(first, second, np.full(len(first), SMALLEST_DISTANCE))


def merged(one: Links, other: Links) -> Links:
    """All links of both; of a pair linked in both the nearest."""
    return links(
        np.concatenate([one.first, other.first]),
        np.concatenate([one.second, other.second]),
        np.concatenate([one.distance, other.distance]),
    )
