"""Tests to inherit for a source, runtime, vector store or image writer of one's own (docs/library.md).

Implement, inherit, give the fixtures that the class names; pytest finds the rest. Nothing here imports pytest or torch.
"""

from indexer.testing.image_writers import ImageWriterTests
from indexer.testing.runtimes import RuntimeTests
from indexer.testing.sources import SourceTests
from indexer.testing.vector_stores import VectorStoreTests

__all__ = ["ImageWriterTests", "RuntimeTests", "SourceTests", "VectorStoreTests"]
