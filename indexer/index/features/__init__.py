"""Which known pictures share local features with a query: packed features by image id. Independent of the catalogue."""

from indexer.index.features.folder import FeatureFolder, PackedBlock
from indexer.index.features.part import digest_of
from indexer.index.features.store import FeatureStore

__all__ = ["FeatureFolder", "FeatureStore", "PackedBlock", "digest_of"]
