"""Whether the threads of one server are alive, for `/healthz` and as Prometheus metrics. A thread that dies would
otherwise go unnoticed.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from indexer.detector.shared_passes import SharedPasses
from search_api.service.background import Background

PASSES: Final = "detector-passes"


class Liveness(Collector):
    """The threads of one server.

    Args:
        passes: of the detector.
        works: the background threads.
        longest: the most seconds a pass may take.
    """

    def __init__(self, passes: SharedPasses, works: Sequence[Background], longest: float) -> None:
        self._passes = passes
        self._works = works
        self._longest = longest

    def troubles(self) -> list[str]:
        """The current problems in words; empty when all is well. Cheap."""
        stuck = self._passes.trouble(self._longest)
        words = [] if stuck is None else [stuck]
        ended = [name for work in self._works for name, alive in work.alive().items() if not alive]
        return words + [f"the thread {name} has ended" for name in ended]

    def describe(self) -> Iterable[Metric]:
        """Nothing: metric names are known only when collected."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """For each thread: whether it is alive, and how often its step failed."""
        up = GaugeMetricFamily(
            "dejafake_background_up", "Whether a thread of the asked process is at work.", labels=["work"]
        )
        failed = CounterMetricFamily(
            "dejafake_background_failures", "Steps of such a thread that failed and are tried again.", labels=["work"]
        )
        up.add_metric([PASSES], self._passes.trouble(self._longest) is None)
        for work in self._works:
            for name, alive in work.alive().items():
                up.add_metric([name], alive)
                failed.add_metric([name], work.failures[name])
        yield up
        yield failed
