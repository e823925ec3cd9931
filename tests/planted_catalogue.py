"""A catalogue with planted embeddings and PDQ hashes round one query, searched with a detector that is never run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from indexer.catalog.copies import descriptors
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import collections, images, labels
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.tables.images import ImageRow
from indexer.settings import Settings
from indexer.vocabulary import LabelSource, LabelValue
from indexer.workspace import Workspace
from tests.made_descriptors import DIMENSION, made_descriptor
from tests.tiny_detectors import tiny_detector

QUERY_HASH = np.random.default_rng(0).bytes(32)
QUERY_VECTOR = np.eye(1, 384, dtype=np.float32)[0]


@dataclass(frozen=True)
class Planted:
    """An image: its cosine to the query's embedding, the PDQ bits between the two and the cosine of their copy
    embeddings, each None for far away."""

    label: LabelValue | None = None
    cosine: float | None = None
    bits: int | None = None
    collection: str | None = None
    stated_by: str = "desk"
    p_fake: float | None = None
    content: int | None = None
    copied: float | None = None


def planted_workspace(home: Path, *, trained: bool = True, **settings: object) -> Workspace:
    """An installation with nothing in it, whose cosines count from 0.9 on, those of copy embeddings by themselves from
    0.95 on."""
    detector = tiny_detector(home / "detector", seed=1, trained=trained)
    likely = {"min_score": 0.95, "false_match_rate": 0.001, "strangers": 2_000}
    descriptor = made_descriptor(home / "descriptor", likely_copy=likely)
    made: dict[str, object] = {
        "same_origin_min_cosine": 0.9,
        "copy_descriptor": str(descriptor),
        "threads": 1,
        **settings,
    }
    return Workspace(Settings.load(home=home, detector=str(detector), **made))


def plant(workspace: Workspace, wanted: Sequence[Planted]) -> list[str]:
    """Adds images in one transaction; returns their SHA-256."""
    added = []
    with workspace.catalog.writing() as session:
        resolved = workspace.resolved
        detector_id = detectors.register(session, "planted", resolved.fingerprint, resolved.spec.trained, {})
        descriptor, descriptor_id = workspace.resolved_descriptor, None
        if descriptor is not None:
            spec = descriptor.spec
            descriptor_id = descriptors.register(session, spec.name, descriptor.fingerprint, spec.dimension, {})
        newest = session.execute(select(func.max(ImageRow.id))).scalar_one() or 0
        for number, one in enumerate(wanted, newest + 1):
            sha256 = f"{number:064x}"
            bits = _bits_away(number, one.bits)
            image = NewImage(sha256, 1, "PNG", 9, 9, "RGB", 1, (), bits, 90, "planted", content=one.content)
            image_id = images.add(session, image)
            vector = _vector_at(number, one.cosine, 384)
            embeddings.add(session, detector_id, [(image_id, NewDetection(vector, (9.0,), one.p_fake))])
            if descriptor_id is not None:
                copy_embeddings.add(session, descriptor_id, [(image_id, _vector_at(number, one.copied, DIMENSION))])
            if one.label is not None:
                labels.state(session, image_id, [NewLabel(one.label, LabelSource.HUMAN, one.stated_by)])
            if one.collection is not None:
                collections.ensure(session, one.collection)
                collections.add_images(session, one.collection, [image_id])
            added.append(sha256)
    return added


def _bits_away(number: int, bits: int | None) -> bytes:
    if bits is None:
        return np.random.default_rng(number).bytes(32)
    return (int.from_bytes(QUERY_HASH) ^ ((1 << bits) - 1)).to_bytes(32)


def _vector_at(number: int, cosine: float | None, dimension: int) -> np.ndarray:
    aside = np.random.default_rng(number).standard_normal(dimension)
    aside[0] = 0
    aside /= np.linalg.norm(aside)
    query, towards = np.eye(1, dimension)[0], 0.0 if cosine is None else cosine
    vector: np.ndarray = (towards * query + (1 - towards**2) ** 0.5 * aside).astype(np.float32)
    return vector / np.linalg.norm(vector)
