"""Why images are one campaign: what links them, how close they are, what they share, how they spread, what is near.

Computed on request from the catalogue's hashes, embeddings and findings; nothing is stored. What holds a campaign
together says nothing about who made it.
"""

from indexer.campaigns.why.explanation import Closeness, Explanation, explain
from indexer.campaigns.why.nearness import Bounds, Link, LinkKind, Nearness, Traces
from indexer.campaigns.why.related import Exemplars, RelatedCampaign, read_exemplars
from indexer.campaigns.why.spread import FirstOn, GrowthStep, Spread, spread_of
from indexer.campaigns.why.traits import SharedTrait, shared_traits

__all__ = [
    "Bounds",
    "Closeness",
    "Exemplars",
    "Explanation",
    "FirstOn",
    "GrowthStep",
    "Link",
    "LinkKind",
    "Nearness",
    "RelatedCampaign",
    "SharedTrait",
    "Spread",
    "Traces",
    "explain",
    "read_exemplars",
    "shared_traits",
    "spread_of",
]
