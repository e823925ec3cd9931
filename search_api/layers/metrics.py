"""Prometheus metrics: one registry per application, so that two applications in one process do not mix. Several
processes of one server share their counts through the folder named by `SHARED` (prometheus_client's multiprocess mode),
and any of them can report the total.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock, Thread
from time import monotonic, perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.catalog.database import Catalog
from indexer.catalog.images import images
from indexer.catalog.records.images import CatalogCounts
from indexer.errors import DejafakeError
from indexer.workspace import Workspace

logger = logging.getLogger("dejafake.api")

SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that prometheus_client reads as it is imported: the folder of the counts of several processes."""

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_COUNT_EVERY: Final = 30.0
"""Seconds for which the catalogue's counts are kept: counting reads whole tables."""
_FIRST_COUNT: Final = 2.0
"""Seconds that the first scrape waits for them."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "dejafake_http_requests_total",
            "Requests answered, by method, route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "dejafake_http_request_seconds",
            "Time from a request's headers to the end of its answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._steps = Histogram(
            "dejafake_search_step_seconds",
            "Time of one step of a search.",
            ("step",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._pictures = Counter(
            "dejafake_uploaded_pictures_total",
            "Pictures uploaded for the catalogue, by what became of them.",
            ("status",),
            registry=self.registry,
        )
        self._passes = Counter(
            "dejafake_model_passes", "Passes of pictures that were searched with.", registry=self.registry
        )
        self._passed = Counter("dejafake_model_pictures", "Pictures in these passes.", registry=self.registry)
        self._sizes: _Sizes | None = None

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one request; `route` is the template, never the address a client sent."""
        kind = method if method in _METHODS else "other"
        self._requests.labels(kind, route, str(status)).inc()
        self._latency.labels(kind, route).observe(seconds)

    def searched(self, milliseconds: Mapping[str, float]) -> None:
        """Counts the steps of one search."""
        for step, value in milliseconds.items():
            self._steps.labels(step).observe(value / 1000)

    def uploaded(self, status: str) -> None:
        """Counts one uploaded picture."""
        self._pictures.labels(status).inc()

    def passed(self, pictures: int) -> None:
        """Counts one pass of the detector."""
        self._passes.inc()
        self._passed.inc(pictures)

    def watch(self, workspace: Workspace) -> None:
        """Counts a workspace's passes from now on, and adds gauges of its index and catalogue, read when scraped."""
        workspace.passes.passed = self.passed
        self._sizes = _Sizes(workspace)
        self.registry.register(self._sizes)

    def counts(self) -> CatalogCounts | None:
        """How much the watched catalogue holds, counted at most half a minute before it was last asked for; None until
        it is counted."""
        return None if self._sizes is None else self._sizes.counts.recent()

    def text(self) -> bytes:
        """Everything in Prometheus' text format, counted over all processes of this server."""
        if SHARED not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        if self._sizes is not None:
            together.register(self._sizes)
        return generate_latest(together)


class RequestMetrics:
    """ASGI layer that counts requests, including those refused by limits.

    A request is counted before the last part of its answer is sent: who has the answer finds it counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 500
        counted = False

        def count() -> None:
            nonlocal counted
            if not counted:
                counted = True
                route = getattr(scope.get("route"), "path", None) or "none"
                self._metrics.answered(scope["method"], route, status, perf_counter() - started)

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body" and not message.get("more_body", False):
                count()
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            count()


class _Sizes(Collector):
    """Gauges of index and catalogue. A scrape reads known values: it counts nothing and waits for no search."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.counts = _Counts(workspace.catalog)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: registration must not read the catalogue."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The gauges; those that cannot be read are left out, so that the other metrics are still reported."""
        waiting = self._workspace.passes.waiting
        yield _gauge("dejafake_model_waiting", "Pictures that wait for the model of the asked process.", waiting)
        try:
            status = self._workspace.index.glance()
        except DejafakeError as error:
            logger.warning("the sizes could not be read for the metrics: %s", error)
            return
        yield _gauge("dejafake_index_embeddings", "Embeddings that searches see.", status.count)
        yield _gauge("dejafake_index_tail", "Of these, in the exact tail beside the snapshot.", status.tail)
        yield _gauge("dejafake_index_deleted", "Deleted embeddings still in the snapshot's files.", status.deleted)
        yield _gauge("dejafake_index_bytes", "Size of the snapshot's files.", status.bytes)
        if (copies := status.copies) is not None:
            yield _gauge("dejafake_copy_index_embeddings", "Copy embeddings that searches see.", copies.count)
        if (features := status.features) is not None:
            yield _gauge("dejafake_feature_index_images", "Images whose local features searches see.", features.count)
        counts = self.counts.recent()
        if counts is None:
            return
        labelled = GaugeMetricFamily("dejafake_images", "Images by current label.", labels=["label"])
        for label in ("fake", "authentic", "unknown"):
            labelled.add_metric([label], getattr(counts, label))
        yield labelled
        yield _gauge("dejafake_images_disputed", "Images whose labels disagree.", counts.disputed)
        yield _gauge("dejafake_sightings", "Sightings.", counts.sightings)
        yield _gauge("dejafake_collections", "Collections.", counts.collections)
        yield _gauge("dejafake_campaigns", "Campaigns.", counts.campaigns)


class _Counts:
    """The catalogue's counts, computed in the background because counting reads whole tables."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = Lock()
        self._counts: CatalogCounts | None = None
        self._counted_at = 0.0
        self._counting: Thread | None = None

    def recent(self) -> CatalogCounts | None:
        """The last counts; starts a new count if they are old. Only the first scrape waits, briefly."""
        with self._lock:
            old = self._counts is None or monotonic() - self._counted_at > _COUNT_EVERY
            if old and (self._counting is None or not self._counting.is_alive()):
                self._counting = Thread(target=self._count, name="count-catalogue", daemon=True)
                self._counting.start()
            counting = self._counting
        if self._counts is None and counting is not None:
            counting.join(_FIRST_COUNT)
        return self._counts

    def _count(self) -> None:
        try:
            with self._catalog.reading() as session:
                self._counts = images.counts(session)
        except DejafakeError as error:
            logger.warning("the catalogue could not be counted for the metrics: %s", error)
        self._counted_at = monotonic()


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
