"""Links between fakes whose files name the same recipe: model hash, seed and prompt.

All three together reproduce the picture, and are unlikely to coincide by chance. Files state them about themselves:
their absence means nothing, and they can be forged to place an image in a campaign.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from indexer.campaigns.grouping.graph import SMALLEST_DISTANCE, LinkKind, Links, links

Recipe = tuple[str, str, str]
"""Model hash, seed, prompt."""


def recipe_in(model_hash: str, fields: Mapping[str, Any]) -> Recipe | None:
    """The recipe in the fields of a finding; None unless all three parts are there."""
    generation = fields.get("generation", {})
    seed, prompt = generation.get("seed"), generation.get("prompt")
    return (model_hash, seed, prompt) if model_hash and seed and prompt else None


def recipe_links(recipes: Mapping[int, Recipe]) -> Links:
    """Links between images (by number) with the same recipe: a ring, which connects any number of images with two links
    each. They get the shortest distance an embedding link can have.
    """
    of_recipe: dict[Recipe, list[int]] = {}
    for number in sorted(recipes):
        of_recipe.setdefault(recipes[number], []).append(number)
    rings = [np.array(places, np.int64) for places in of_recipe.values() if len(places) > 1]
    if not rings:
        return links([], [], [])
    first, second = np.concatenate(rings), np.concatenate([np.roll(ring, -1) for ring in rings])
    return links(first, second, np.full(len(first), SMALLEST_DISTANCE), LinkKind.SAME_RECIPE)
