"""Detectors: specs, weights, and running them.

Importing this package, listing and resolving do not load torch; only making a `Detector` does.
"""

from typing import TYPE_CHECKING, Any

from indexer.detector.registry import DetectorListing, ResolvedDetector, list_detectors, pull, resolve
from indexer.detector.spec import IMAGE_SIZE, DetectorSpec, Head, Preprocessing, fingerprint
from indexer.vocabulary import EMBEDDING_SIZE

if TYPE_CHECKING:
    from indexer.detector.detector import Detector, DetectorOutput
    from indexer.detector.loading import Verification, load_detector, verify, write_golden

__all__ = [
    "EMBEDDING_SIZE",
    "IMAGE_SIZE",
    "Detector",
    "DetectorListing",
    "DetectorOutput",
    "DetectorSpec",
    "Head",
    "Preprocessing",
    "ResolvedDetector",
    "Verification",
    "fingerprint",
    "list_detectors",
    "load_detector",
    "pull",
    "resolve",
    "verify",
    "write_golden",
]

_WITH_TORCH = {
    "Detector": "indexer.detector.detector",
    "DetectorOutput": "indexer.detector.detector",
    "Verification": "indexer.detector.loading",
    "load_detector": "indexer.detector.loading",
    "verify": "indexer.detector.loading",
    "write_golden": "indexer.detector.loading",
}


def __getattr__(name: str) -> Any:
    """Loads torch when a name that needs it is first used."""
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WITH_TORCH[name]), name)
