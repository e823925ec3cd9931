"""A real detector that tests hold back: what arrives meanwhile waits, as behind a slow pass."""

from threading import Event

from indexer.detector import Detector, DetectorOutput
from indexer.detector.shared_passes import Floats


class Gated:
    """A real detector whose first pass waits until it is let go; remembers the size of every pass."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.sizes: list[int] = []
        self.entered = Event()
        self.gate = Event()

    def run(self, batch: Floats) -> DetectorOutput:
        self.sizes.append(len(batch))
        self.entered.set()
        assert self.gate.wait(60)
        return self._detector.run(batch)

    def choose_runtime(self) -> None:
        """Keeps the reference."""
