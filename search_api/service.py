"""What the routes share: the open workspace, the metrics, the lock on ingest, and the detector on its way."""

import logging
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING, Annotated, TypeVar

import anyio
import anyio.to_thread
from fastapi import Depends, Request

from indexer.errors import DejafakeError
from indexer.settings import Settings
from indexer.threads import thread_count
from indexer.workspace import Workspace
from search_api.jobs import Jobs
from search_api.metrics import Metrics
from search_api.watching import Watching

if TYPE_CHECKING:
    from indexer.region_search import RegionSearcher

logger = logging.getLogger("dejafake.api")

T = TypeVar("T")


class DetectorState(StrEnum):
    """How far the detector is."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class Service:
    """One running API.

    Attributes:
        settings: as given.
        workspace: catalogue, index, searcher, files.
        metrics: of this application.
        detector_state: the detector is loaded in the background, so that the server is alive at once; a search that
            comes before it is ready waits for it.
        jobs: batches that are answered in the background.
        watching: saved queries that are looked for in the background.
        pictures: uploaded ones that are being searched with; changed in the event loop's thread only.
        decoding: whoever holds a decoded picture of a search, which may be large, holds a place here.
        ingesting: whoever ingests holds this lock; it is waited for without occupying a thread.
    """

    def __init__(self, settings: Settings, workspace: Workspace, metrics: Metrics) -> None:
        self.settings = settings
        self.workspace = workspace
        self.metrics = metrics
        self.detector_state = DetectorState.LOADING
        self.pictures = 0
        at_a_time = max(2, thread_count(settings.threads))
        self.decoding = anyio.Semaphore(at_a_time)
        self.ingesting = anyio.Lock()
        self.jobs = Jobs(settings, workspace)
        self.watching = Watching(settings, workspace)
        self._computing = anyio.CapacityLimiter(at_a_time)
        self._warming = Thread(target=self._warm_up, name="load-detector")
        metrics.watch(workspace)

    def start(self) -> None:
        """Begins to load the detector, to answer the jobs that are there and to look for what watches wait for."""
        self._warming.start()
        self.jobs.start()
        self.watching.start()

    def close(self) -> None:
        """Waits for the detector's loading and the work in the background to end, and closes the workspace."""
        self.jobs.close()
        self.watching.close()
        self._warming.join()
        self.workspace.close()

    async def compute(self, work: Callable[[], T]) -> T:
        """Runs model or index work in a thread; more at a time than there are cores would only slow each other."""
        return await anyio.to_thread.run_sync(work, limiter=self._computing)

    @cached_property
    def regions(self) -> "RegionSearcher":
        """What answers searches by region."""
        from indexer.region_search import RegionSearcher  # loads OpenCV

        return RegionSearcher(self.workspace)

    def _warm_up(self) -> None:
        try:
            detector = self.workspace.detector()
        except DejafakeError as error:
            self.detector_state = DetectorState.FAILED
            logger.error("the detector cannot be used: %s", error)
        except Exception:
            self.detector_state = DetectorState.FAILED
            logger.exception("the detector cannot be used")
        else:
            self.detector_state = DetectorState.READY
            detector.choose_runtime()  # now, so that no request waits for it; meanwhile the reference answers


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(_service)]
"""The service, as a parameter of a route."""
