"""The calibration in use for one detector, read when it changes and not with every search."""

from indexer.calibration import CalibrationVersion
from indexer.catalog.database import Catalog
from indexer.catalog.detections import calibrations
from indexer.detector import ResolvedDetector
from indexer.errors import CatalogError


class ActiveCalibration:
    """The newest calibration of a detector that is not retired. Threads may share it."""

    def __init__(self, catalog: Catalog, resolved: ResolvedDetector) -> None:
        self._catalog = catalog
        self._resolved = resolved
        self._read: CalibrationVersion | None = None
        self._as_of: tuple[int | None, CalibrationVersion | None] = (None, None)

    def get(self, change_id: int | None = None) -> CalibrationVersion | None:
        """The calibration now in use; None when there is none, or the detector is not trained.

        Asks for the newest version alone, and reads it once: a version never changes.

        Args:
            change_id: the catalogue's change counter now, where it is known: nothing is asked when it has not moved.

        Raises:
            CatalogError: its row is damaged; the message says how to take it out of use.
        """
        spec, fingerprint = self._resolved.spec, self._resolved.fingerprint
        if not spec.trained:
            return None
        asked_at, answer = self._as_of
        if change_id is not None and change_id == asked_at:
            return answer
        calibration = self._newest(fingerprint)
        self._as_of = change_id, calibration
        return calibration

    def _newest(self, fingerprint: str) -> CalibrationVersion | None:
        with self._catalog.reading() as session:
            version = calibrations.active_version(session, fingerprint)
            if version is None:
                return None
            known = self._read
            if known is not None and known.version == version:
                return known
            active = calibrations.get(session, fingerprint, version)
        head, ours = active.calibration.head, self._resolved.spec.head
        if (head.kind, head.fake_index) != (ours.kind, ours.fake_index):
            raise CatalogError(
                f"calibration {version} is of another head than the detector's: take it out of use with "
                f"`dejafake calibrate retire {version}`"
            )
        self._read = active
        return active
