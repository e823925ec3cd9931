"""Copy descriptors: embeddings that find copies of a picture and are blind to how it was made.

Importing this package, listing and resolving do not load torch; only making a `CopyDescriptor` does.
"""

from indexer.copies.descriptor.background import Background
from indexer.copies.descriptor.registry import (
    DescriptorListing,
    ResolvedDescriptor,
    list_descriptors,
    resolve_descriptor,
)
from indexer.copies.descriptor.spec import DescriptorSpec

__all__ = [
    "Background",
    "DescriptorListing",
    "DescriptorSpec",
    "ResolvedDescriptor",
    "list_descriptors",
    "resolve_descriptor",
]
