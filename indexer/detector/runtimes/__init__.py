"""Ways to run a detector's network that give logits and CLS embeddings only, and faster than the eager one.

The eager forward pass with hooks (`indexer.detector.model`) is the reference: it proves itself on golden outputs, gives
patches, attention and rollout, and every runtime here is held to it before it serves (`choice`).
"""

from indexer.detector.runtimes.choice import choose
from indexer.detector.runtimes.runtime import Outputs, Runtime
from indexer.detector.runtimes.serving import Serving
from indexer.detector.runtimes.trial import Choice, Measured

__all__ = ["Choice", "Measured", "Outputs", "Runtime", "Serving", "choose"]
