"""A picture to watch for, reduced to what can be compared later."""

from indexer.catalog.watch_records import WatchedPicture
from indexer.imaging.decoding import decode
from indexer.imaging.hashing import pdq_dihedrals
from indexer.imaging.limits import ImageLimits
from indexer.probing import Probe
from indexer.workspace import Workspace


def picture_of_bytes(workspace: Workspace, data: bytes) -> WatchedPicture:
    """The bytes of an image file, known or not; they are not kept.

    Raises:
        ImageRejectedError: they are not a picture that is accepted.
        DetectorError: the detector fails.
    """
    return _watched(workspace, workspace.searcher.probe(data))


def picture_of_known(workspace: Workspace, sha256: str) -> WatchedPicture:
    """An image of the catalogue, by what is stored of it; turned and mirrored copies are found only if its original is.

    Raises:
        NotFoundError: no such image.
    """
    watched = _watched(workspace, workspace.searcher.probe_known(sha256))
    original = workspace.originals.get(sha256)
    if original is None:
        return watched
    turned = pdq_dihedrals(decode(original, ImageLimits.from_settings(workspace.settings)).rgb)
    return WatchedPicture(
        sha256=sha256,
        hashes=tuple((name, one.bits) for name, one in turned),
        pdq_quality=watched.pdq_quality,
        fingerprint=watched.fingerprint,
        vector=watched.vector,
    )


def _watched(workspace: Workspace, probe: Probe) -> WatchedPicture:
    return WatchedPicture(
        sha256=probe.facts.sha256 or "",
        hashes=probe.hashes,
        pdq_quality=probe.facts.pdq_quality or 0,
        fingerprint=None if probe.vector is None else workspace.resolved.fingerprint,
        vector=probe.vector,
    )
