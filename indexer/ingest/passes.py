"""The passes of an ingest through the detector and the copy descriptor."""

from typing import TYPE_CHECKING, Protocol

from indexer.arrays import Floats, Vectors
from indexer.ingest.preparing import Describer

if TYPE_CHECKING:  # importing the classes themselves loads torch
    from indexer.detector import Detector, DetectorOutput


class Passes(Protocol):
    """Makes passes where others may wait for the models too: `SharedPasses`, whose methods these are."""

    def run(self, batch: Floats) -> "DetectorOutput":
        """The detector's outputs for pictures [N, 3, 384, 384]."""

    def run_with_copies(self, batch: Floats, views: Floats) -> "tuple[DetectorOutput, Vectors | None]":
        """As `run`, and copy embeddings [M, D] of `views` [M, 3, S, S]."""

    def embed(self, views: Floats) -> Vectors | None:
        """Copy embeddings alone."""


class OwnPasses:
    """Passes in the calling thread, for models that nobody else waits for."""

    def __init__(self, detector: "Detector", descriptor: Describer | None) -> None:
        self._descriptor = descriptor
        self.run = detector.run

    def run_with_copies(self, batch: Floats, views: Floats) -> "tuple[DetectorOutput, Vectors | None]":
        """As `Passes.run_with_copies`."""
        return self.run(batch), self.embed(views)

    def embed(self, views: Floats) -> Vectors | None:
        """As `Passes.embed`."""
        return None if self._descriptor is None else self._descriptor.run(views)
