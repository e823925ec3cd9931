"""The state shared by all routes: the open workspace, the metrics, the ingest lock, and the loading detector."""

import logging
from collections.abc import Callable
from enum import StrEnum
from threading import Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Annotated, TypeVar

import anyio
import anyio.to_thread
from fastapi import Depends, Request

from indexer.catalog.facets.facets import Facets
from indexer.errors import DejafakeError
from indexer.settings import Settings
from indexer.threads import thread_count
from indexer.workspace import Workspace
from search_api.layers.admission import Lane
from search_api.layers.metrics import Metrics
from search_api.service.jobs import Jobs
from search_api.service.liveness import Liveness
from search_api.service.watching import Watching

if TYPE_CHECKING:
    from indexer.examine.region_search import RegionSearcher

logger = logging.getLogger("dejafake.api")

T = TypeVar("T")

_RETRY_SECONDS = 60.0
"""After how long a detector that could not be loaded is tried again, when somebody asks whether the server is ready."""


class DetectorState(StrEnum):
    """The loading state of the detector."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class Service:
    """One running API.

    Attributes:
        settings: the settings it was started with.
        workspace: catalogue, index, searcher, files.
        metrics: of this application.
        jobs: enrichment jobs, answered in the background.
        watching: saved queries, checked in the background.
        facets: how many images have what.
        searching: the lane of searches with an uploaded picture.
        heavy: the lane of all other requests that decode pictures, run the model or store uploads.
        decoding: limits how many searches hold a decoded picture, which may be large.
        liveness: whether the server's threads are alive.
        ingesting: the ingest lock; waiting for it does not occupy a thread.
    """

    def __init__(self, settings: Settings, workspace: Workspace, metrics: Metrics) -> None:
        self.settings = settings
        self.workspace = workspace
        self.metrics = metrics
        self._loading_failed_at: float | None = None
        at_a_time = max(2, thread_count(settings.threads))
        self.decoding = anyio.Semaphore(at_a_time)
        self.ingesting = anyio.Lock()
        self.jobs = Jobs(settings, workspace)
        self.watching = Watching(settings, workspace)
        self.facets = Facets(workspace.catalog)
        self.searching = Lane(
            settings.waiting_pictures_max,
            "Too many pictures are waiting already: send it again later.",
            lambda: workspace.passes.seconds_a_picture,
        )
        self.heavy = Lane(
            settings.heavy_requests_max, "Too many requests of this kind are waiting already: send it again later."
        )
        self._computing = anyio.CapacityLimiter(at_a_time)
        self._labouring = anyio.CapacityLimiter(max(1, at_a_time // 2))
        self._regions: RegionSearcher | None = None
        self._first_region = Lock()
        self._retrying = Lock()
        self._closed = False
        self._warming = Thread(target=self._warm_up, name="load-detector")
        self.liveness = Liveness(workspace.passes, (*self.jobs.works, *self.watching.works), settings.pass_seconds_max)
        metrics.watch(workspace)
        metrics.registry.register(self.liveness)

    def start(self) -> None:
        """Starts loading the detector, answering jobs and checking watches."""
        self._warming.start()
        if self.workspace.catalog.read_only:
            logger.warning("the home cannot be written: searches are answered, and whatever would change it is refused")
            return
        self.jobs.start()
        self.watching.start()

    def close(self) -> None:
        """Waits for the detector to finish loading and for background work to stop, then closes the workspace."""
        self.jobs.close()
        self.watching.close()
        self.facets.close()
        with self._retrying:
            self._closed = True
        self._warming.join()
        self.workspace.close()

    @property
    def detector_state(self) -> DetectorState:
        """The detector is loaded in the background, so that the server is alive at once; a search that comes before it
        is ready waits for it, and loads it if that failed."""
        if self.workspace.detector_loaded:
            return DetectorState.READY
        return DetectorState.LOADING if self._loading_failed_at is None else DetectorState.FAILED

    def retry_detector(self) -> None:
        """Begins to load a detector again that could not be loaded a while ago; waits for nothing."""
        with self._retrying:
            failed = self._loading_failed_at
            if (
                failed is None
                or monotonic() - failed < _RETRY_SECONDS
                or self._closed
                or self.workspace.detector_loaded
            ):
                return
            self._loading_failed_at = None
            self._warming = Thread(target=self._load_detector, name="load-detector")
            self._warming.start()

    async def compute(self, work: Callable[[], T]) -> T:
        """Runs model or index work in a thread; at most one per core at a time."""
        return await anyio.to_thread.run_sync(work, limiter=self._computing)

    @property
    def pictures(self) -> int:
        """The number of uploaded pictures being searched."""
        return self.searching.taken

    async def labour(self, work: Callable[[], T]) -> T:
        """Runs heavy work other than a search in a separate thread pool, so that searches find theirs free. The caller
        holds a place in the lane `heavy`.
        """
        return await anyio.to_thread.run_sync(work, limiter=self._labouring)

    @property
    def regions(self) -> "RegionSearcher":
        """The region searcher; created once, even if several requests ask for it at the same time."""
        from indexer.examine.region_search import RegionSearcher  # loads OpenCV

        with self._first_region:
            if self._regions is None:
                self._regions = RegionSearcher(self.workspace)
            return self._regions

    def _warm_up(self) -> None:
        opening = Thread(target=self._open_index, name="open-index")
        opening.start()
        self._load_detector()
        opening.join()

    def _open_index(self) -> None:
        try:
            self.workspace.index.open()
        except DejafakeError as error:
            logger.error("the vector index cannot be used: %s", error)
        except BaseException:
            logger.exception("the vector index cannot be used; it is tried again with the first search")

    def _load_detector(self) -> None:
        try:
            detector = self.workspace.detector()
        except DejafakeError as error:
            self._loading_failed_at = monotonic()
            logger.error("the detector cannot be used: %s", error)
            return
        except BaseException:
            self._loading_failed_at = monotonic()
            logger.exception("the detector cannot be used")
            return
        try:
            self.workspace.descriptor()
            detector.choose_runtime()  # now, so that no request waits for it; meanwhile the reference runtime answers
        except BaseException:
            logger.exception("the fastest runtime could not be chosen; the reference goes on answering")


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(_service)]
"""The service, as a parameter of a route."""
