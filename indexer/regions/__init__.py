"""Which known pictures contain a region of another: local features, an index over them, and geometric verification.

Nothing here is learned, so it needs no detector. Pooled patch embeddings of the detector were tried first and found a
pasted region far more seldom (`python -m benchmarks.regions`).
"""

from indexer.regions.features import RegionFeatures, features_of, region_features
from indexer.regions.index import FeatureIndex
from indexer.regions.matching import RegionHit, find_region

__all__ = ["FeatureIndex", "RegionFeatures", "RegionHit", "features_of", "find_region", "region_features"]
