"""The data shared by all reports on one clustering run."""

from dataclasses import dataclass
from datetime import datetime
from math import inf

from sqlalchemy.orm import Session

from indexer.calibration import CalibrationVersion
from indexer.campaigns.report.records import ReportDetector
from indexer.campaigns.why import Bounds, Exemplars, read_exemplars
from indexer.catalog import last_change as newest_change
from indexer.catalog.campaigns import campaigns
from indexer.catalog.detections import detectors
from indexer.catalog.records.campaigns import ClusteringRun
from indexer.catalog.tables.types import as_utc
from indexer.detector.spec import DEFAULT_MIN_COSINE

_MAX_DISTANCE = 31
_MIN_QUALITY = 50
"""What counted in runs that did not record it."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """The data shared by reports on campaigns, read once for many of them.

    Attributes:
        run: the last clustering run.
        detector: the detector whose embeddings it compared; None if the catalogue no longer has it.
        calibration: the detector's calibration, if any.
        bounds: what the run counted as a link.
        min_quality: PDQ quality from which a hash counted.
        exemplars: of all campaigns.
        as_of: the newest thing in the catalogue.
        since: reports list what is new since then; None for no such list.
    """

    run: ClusteringRun
    detector: ReportDetector | None
    calibration: CalibrationVersion | None
    bounds: Bounds
    min_quality: int
    exemplars: Exemplars
    as_of: datetime
    since: datetime | None

    @property
    def trained(self) -> bool:
        """Whether embeddings count."""
        return self.detector is not None and self.detector.trained


def reporting(
    session: Session, *, calibration: CalibrationVersion | None = None, since: datetime | None = None
) -> Reporting | None:
    """What reports on the campaigns of the last run have in common; None when nothing was clustered yet.

    Args:
        session: of the catalogue.
        calibration: the one in use for the detector in use; left aside when the run compared another's embeddings.
        since: say what is new since then.

    Raises:
        UsageError: `since` is no usable time.
    """
    run = campaigns.last_run(session)
    if run is None:
        return None
    compared = {entry.fingerprint: entry for entry in detectors.list(session)}.get(run.fingerprint)
    detector = None if compared is None else ReportDetector(compared.name, compared.fingerprint, compared.trained)
    trained = detector is not None and detector.trained
    if calibration is not None and (not trained or calibration.calibration.fingerprint != run.fingerprint):
        calibration = None
    min_quality = int(run.parameters.get("pdq_min_quality", _MIN_QUALITY))
    return Reporting(
        run=run,
        detector=detector,
        calibration=calibration,
        bounds=Bounds(
            max_distance=int(run.parameters.get("same_picture_max_distance", _MAX_DISTANCE)),
            min_cosine=_min_cosine(run),
            origin=None if calibration is None else calibration.calibration.same_origin,
        ),
        min_quality=min_quality,
        exemplars=read_exemplars(session, run.fingerprint if trained else None, min_quality),
        as_of=newest_change.at(session),
        since=None if since is None else as_utc(since),
    )


def _min_cosine(run: ClusteringRun) -> float:
    """The smallest cosine that counted in a run; one that no two embeddings have where none did."""
    if "same_origin_links" in run.parameters and "same_origin_min_cosine" not in run.parameters:
        return inf
    return float(run.parameters.get("same_origin_min_cosine", DEFAULT_MIN_COSINE))
