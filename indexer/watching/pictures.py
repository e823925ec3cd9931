"""A picture to watch for, reduced to what can be compared later."""

from dataclasses import replace
from typing import Any

from indexer.catalog.records.watches import WatchedPicture
from indexer.copies.features import FEATURES_FINGERPRINT, QueryFeatures, pack
from indexer.imaging.decoding import decode
from indexer.imaging.hashing import query_hashes
from indexer.imaging.limits import ImageLimits
from indexer.search.details import Sketch
from indexer.search.probe import Probe
from indexer.workspace import Workspace


def picture_of_bytes(workspace: Workspace, data: bytes) -> WatchedPicture:
    """A watched picture from the bytes of an image file, known or not; the bytes are not kept.

    Raises:
        ImageRejectedError: they are not an acceptable picture.
        DetectorError: the detector fails.
    """
    return _watched(workspace, workspace.searcher.probes.of_bytes(data))


def picture_of_known(workspace: Workspace, sha256: str) -> WatchedPicture:
    """A watched picture from an image of the catalogue. Turned, mirrored and strongly scaled copies are reliably found
    only if its original is kept.

    Raises:
        NotFoundError: no such image.
        OriginalChangedError: its kept original has changed.
    """
    probe, _ = workspace.searcher.probes.of_known(sha256)
    watched = _watched(workspace, probe)
    if probe.unassessable is not None:
        return watched
    original = workspace.originals.get(sha256)
    if original is None:
        return watched
    picture = decode(original, ImageLimits.from_settings(workspace.settings)).rgb
    hashed = query_hashes(picture)
    watched = replace(watched, hashes=hashed.queries, pdq_quality=hashed.reference.quality)
    if not workspace.settings.local_features:
        return watched
    return replace(watched, **_features(Sketch.of(picture).details()))


def _watched(workspace: Workspace, probe: Probe) -> WatchedPicture:
    return WatchedPicture(
        sha256=probe.facts.sha256 or "",
        hashes=probe.hashes,
        pdq_quality=probe.facts.pdq_quality or 0,
        fingerprint=None if probe.vector is None else workspace.resolved.fingerprint,
        vector=probe.vector,
        **({} if probe.details is None else _features(probe.details())),
    )


def _features(query: QueryFeatures) -> dict[str, Any]:
    """The local features as a watch keeps them; nothing where there are none."""
    if not len(query.upright):
        return {}
    return {"features": pack(query.upright), "features_fingerprint": FEATURES_FINGERPRINT}
