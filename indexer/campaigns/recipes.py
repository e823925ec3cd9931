"""Links between fakes whose files name the same recipe: model hash, seed and prompt.

Whoever knows all three can make the same picture again, and hardly anybody else arrives at them. It is what the files
say of themselves: absent means nothing, and it can be forged to bring an image into a campaign.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from indexer.campaigns.graph import SMALLEST_DISTANCE, LinkKind, Links, links

Recipe = tuple[str, str, str]
"""Model hash, seed, prompt."""


def recipe_in(model_hash: str, fields: Mapping[str, Any]) -> Recipe | None:
    """The recipe that a finding of these fields names, None unless it names all three parts."""
    said = fields.get("generation", {})
    seed, prompt = said.get("seed"), said.get("prompt")
    return (model_hash, seed, prompt) if model_hash and seed and prompt else None


def recipe_links(recipes: Mapping[int, Recipe]) -> Links:
    """Links between images, by number, of one recipe: a ring through them, which holds them together with two
    links each however many they are. They are as near as links of embeddings can be."""
    of_recipe: dict[Recipe, list[int]] = {}
    for place in sorted(recipes):
        of_recipe.setdefault(recipes[place], []).append(place)
    rings = [np.array(places, np.int64) for places in of_recipe.values() if len(places) > 1]
    if not rings:
        return links([], [], [])
    first, second = np.concatenate(rings), np.concatenate([np.roll(ring, -1) for ring in rings])
    return links(first, second, np.full(len(first), SMALLEST_DISTANCE), LinkKind.SAME_RECIPE)
