"""How the server is doing, in one answer, and what is not as it should be."""

from collections.abc import Iterator, Mapping
from typing import Final

from indexer import __version__
from indexer.catalog import jobs
from indexer.catalog.detections import calibrations
from indexer.catalog.tables.types import utc_now
from indexer.index import IndexStatus
from indexer.upkeep.free_space import disk_space
from indexer.verdict.findings import CalibrationReference
from search_api.bodies.health import (
    CopyDescriptorStatus,
    DetectorStatus,
    ProblemKind,
    Queues,
    QueueStatus,
    Status,
    StatusProblem,
    ThreadStatus,
)
from search_api.service.service import DetectorState, Service

WORDS: Final[Mapping[ProblemKind, str]] = {
    ProblemKind.INDEX_OPENING: "The index is being opened. Wait a moment.",
    ProblemKind.INDEX_MISSING: "The index is missing and is being built; searches are correct and slower until then. "
    "If that lasts, run dejafake index build.",
    ProblemKind.INDEX_STALE: "The index is behind the catalogue and is catching up. If that lasts, run "
    "dejafake index build.",
    ProblemKind.INDEX_DAMAGED: "The index is damaged and is being rebuilt; searches are correct and slower until then. "
    "If that lasts, run dejafake index build.",
    ProblemKind.INDEX_OTHER_DETECTOR: "The index is of another detector. Run dejafake index build.",
    ProblemKind.INDEX_WORK_FAILED: "Work on the index failed and is tried again.",
    ProblemKind.DETECTOR_LOADING: "The detector is being loaded. Wait a moment.",
    ProblemKind.DETECTOR_FAILED: "The detector cannot be used: the server's log says why.",
    ProblemKind.DETECTOR_NOT_TRAINED: "The detector is not trained: its scores mean nothing.",
    ProblemKind.NO_COPY_DESCRIPTOR: "No copy descriptor is in use: altered copies may be missed.",
    ProblemKind.NOT_CALIBRATED: "Scores are not calibrated. Run dejafake calibrate with labelled pictures of yours.",
    ProblemKind.NEEDS_RESTART: "Restart the server: a part of it no longer works.",
    ProblemKind.QUEUE_FULL: "The queue of jobs is full: new jobs are refused until rows are answered.",
    ProblemKind.DISK_LOW: "The disk of the home folder is nearly full. Make room.",
    ProblemKind.DISK_UNKNOWN: "The system does not say how much room the disk of the home folder has.",
    ProblemKind.READ_ONLY: "The catalogue cannot be written: searches are answered, changes are refused.",
}
_INDEX: Final[Mapping[str, ProblemKind]] = {
    "opening": ProblemKind.INDEX_OPENING,
    "missing": ProblemKind.INDEX_MISSING,
    "stale": ProblemKind.INDEX_STALE,
    "damaged": ProblemKind.INDEX_DAMAGED,
    "other_detector": ProblemKind.INDEX_OTHER_DETECTOR,
}
_DETECTOR: Final[Mapping[DetectorState, ProblemKind]] = {
    DetectorState.LOADING: ProblemKind.DETECTOR_LOADING,
    DetectorState.FAILED: ProblemKind.DETECTOR_FAILED,
}


def status_of(service: Service) -> Status:
    """The state of the server: what is said of queues and threads is that of this process.

    Raises:
        CatalogError: the catalogue cannot be read.
    """
    workspace = service.workspace
    resolved, descriptor = workspace.resolved, workspace.resolved_descriptor
    index = workspace.index.glance()
    with workspace.catalog.reading() as session:
        rows = jobs.waiting(session)
        version = calibrations.active_version(session, resolved.fingerprint)
        calibration = None if version is None else calibrations.get(session, resolved.fingerprint, version)
    disk = disk_space(service.settings.home)
    whole = Status(
        at=utc_now(),
        version=__version__,
        ready=index.state not in _INDEX and service.detector_state is DetectorState.READY,
        problems=(),
        detector=DetectorStatus(
            name=resolved.spec.name,
            fingerprint=resolved.fingerprint,
            state=service.detector_state.value,
            trained=resolved.spec.trained,
        ),
        copy_descriptor=None
        if descriptor is None or workspace.descriptor_problem
        else CopyDescriptorStatus(name=descriptor.spec.name, fingerprint=descriptor.fingerprint),
        calibration=None if calibration is None else CalibrationReference.of(calibration),
        index=index,
        catalogue=service.metrics.counts(),
        queues=Queues(
            rows=QueueStatus(now=rows, most=service.settings.job_queue_rows),
            searches=QueueStatus(now=service.searching.taken, most=service.searching.most),
            heavy=QueueStatus(now=service.heavy.taken, most=service.heavy.most),
            passes=QueueStatus(now=workspace.passes.waiting, most=None),
        ),
        threads=_threads(service),
        disk=disk,
        read_only=workspace.catalog.read_only,
    )
    problems = (
        StatusProblem(kind=kind, words=WORDS[kind], detail=detail) for kind, detail in _problems(whole, service)
    )
    return whole.model_copy(update={"problems": tuple(problems)})


def _threads(service: Service) -> tuple[ThreadStatus, ...]:
    return tuple(
        ThreadStatus(name=name, alive=alive, failures=work.failures[name])
        for work in (*service.jobs.works, *service.watching.works)
        for name, alive in work.alive().items()
    )


def _problems(whole: Status, service: Service) -> Iterator[tuple[ProblemKind, str | None]]:
    """What is not as it should be, the gravest first, each with the message of the part that failed."""
    if troubles := service.liveness.troubles():
        yield ProblemKind.NEEDS_RESTART, "; ".join(troubles)
    if service.detector_state in _DETECTOR:
        yield _DETECTOR[service.detector_state], None
    yield from _index_problems(whole.index)
    if whole.disk is None:
        yield ProblemKind.DISK_UNKNOWN, None
    elif whole.disk.low:
        yield ProblemKind.DISK_LOW, None
    if whole.read_only:
        yield ProblemKind.READ_ONLY, None
    rows = whole.queues.rows
    if rows.most is not None and rows.now >= rows.most:
        yield ProblemKind.QUEUE_FULL, None
    if service.workspace.descriptor_problem is not None:
        yield ProblemKind.NO_COPY_DESCRIPTOR, service.workspace.descriptor_problem
    if not whole.detector.trained:
        yield ProblemKind.DETECTOR_NOT_TRAINED, None
    elif whole.calibration is None:
        yield ProblemKind.NOT_CALIBRATED, None


def _index_problems(index: IndexStatus) -> Iterator[tuple[ProblemKind, str | None]]:
    """Of the three indexes: each kind once."""
    states = [index.state, *(part.state for part in (index.copies, index.features) if part is not None)]
    for kind in dict.fromkeys(_INDEX[state] for state in states if state in _INDEX):
        yield kind, None
    if index.problem is not None:
        yield ProblemKind.INDEX_WORK_FAILED, index.problem
