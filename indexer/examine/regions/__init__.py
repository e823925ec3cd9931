"""Which known pictures contain a region of another: its local features, and geometric verification.

Nothing here is learned, so it needs no detector. Pooled patch embeddings of the detector were tried first and found a
pasted region far more seldom (`python -m benchmarks.regions`).
"""

from indexer.examine.regions.matching import CANDIDATES, Box, RegionHit, find_region, region_features

__all__ = ["CANDIDATES", "Box", "RegionHit", "find_region", "region_features"]
