"""Ways to run a copy descriptor's network: torch as it is, OpenVINO, and for ONNX models ONNX Runtime."""

from indexer.copies.descriptor.runtimes.runtime import EmbeddingRuntime

__all__ = ["EmbeddingRuntime"]
