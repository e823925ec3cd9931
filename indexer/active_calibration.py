"""The calibration in use for one detector, read when it changes and not with every search."""

from indexer.calibration import CalibrationVersion
from indexer.catalog import calibrations
from indexer.catalog.database import Catalog
from indexer.detector import ResolvedDetector
from indexer.errors import CatalogError


class ActiveCalibration:
    """The newest calibration of a detector that is not retired. Threads may share it."""

    def __init__(self, catalog: Catalog, resolved: ResolvedDetector) -> None:
        self._catalog = catalog
        self._resolved = resolved
        self._read: CalibrationVersion | None = None

    def get(self) -> CalibrationVersion | None:
        """The calibration now in use; None when there is none, or the detector is not trained.

        Asks for the newest version alone, and reads it once: a version never changes.

        Raises:
            CatalogError: its row is damaged; the message says how to take it out of use.
        """
        spec, fingerprint = self._resolved.spec, self._resolved.fingerprint
        if not spec.trained:
            return None
        with self._catalog.reading() as session:
            version = calibrations.active_version(session, fingerprint)
            if version is None:
                return None
            known = self._read
            if known is not None and known.version == version:
                return known
            found = calibrations.get(session, fingerprint, version)
        head = found.calibration.head
        if (head.kind, head.fake_index) != (spec.head.kind, spec.head.fake_index):
            raise CatalogError(
                f"calibration {version} is of another head than the detector's: take it out of use with "
                f"`dejafake calibrate retire {version}`"
            )
        self._read = found
        return found
