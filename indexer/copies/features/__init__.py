"""Local features of a picture: taking them (`sift`, which imports OpenCV), and packing them small."""

from indexer.copies.features.codebook import FEATURES_FINGERPRINT
from indexer.copies.features.local_features import FEATURES_AN_IMAGE, QUERY_SIDE, LocalFeatures, QueryFeatures
from indexer.copies.features.packing import pack, readable, unpack

__all__ = [
    "FEATURES_AN_IMAGE",
    "FEATURES_FINGERPRINT",
    "QUERY_SIDE",
    "LocalFeatures",
    "QueryFeatures",
    "pack",
    "readable",
    "unpack",
]
