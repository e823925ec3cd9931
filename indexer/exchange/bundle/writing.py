"""Writes a bundle in parts, in constant memory. The same catalogue gives the same bytes."""

import base64
import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError
from safetensors.numpy import save
from sqlalchemy.orm import Session

from indexer.arrays import Vector
from indexer.catalog import Catalog
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.copies import local_features
from indexer.catalog.detections import embeddings
from indexer.catalog.images import images, label_history
from indexer.catalog.images.label_history import Statement
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import ImageDetails
from indexer.errors import DejafakeError
from indexer.exchange.bundle.for_copies import ForCopies
from indexer.exchange.bundle.layout import (
    MANIFEST,
    VECTORS,
    BundledDetection,
    BundledDetector,
    BundledImage,
    BundledLabel,
    BundledSighting,
    BundledSource,
    BundledThumbnail,
    Manifest,
    Member,
)
from indexer.exchange.bundle.provenance import bundled
from indexer.exchange.web_terms import web_address
from indexer.files.media import MediaStore
from indexer.files.whole_files import replacing, told
from indexer.imaging.file_facts import file_facts
from indexer.sightings import SIGHTING_FIELDS, SightingKind
from indexer.vocabulary import EMBEDDING_SIZE

_IMAGES_AT_ONCE = 500
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class BundleExport:
    """What was written. `bundle` is the SHA-256 of the manifest: send it to the recipient by another channel."""

    bundle: str
    images: int
    embeddings: int
    copy_embeddings: int
    features: int
    thumbnails: int
    bytes: int


def export_bundle(
    catalog: Catalog,
    selection: ImageFilter,
    detector: BundledDetector,
    path: Path,
    *,
    descriptor: str | None = None,
    features: str | None = None,
    thumbnails: MediaStore | None = None,
    observe: Callable[[int], None] = lambda _: None,
) -> BundleExport:
    """Write the images that meet a filter with labels, sightings, sources, collections, provenance, hashes,
    embeddings and what copies of them are found by, as of one moment. The file appears whole or not at all.

    Args:
        detector: whose embeddings and scores go in.
        descriptor, features: fingerprints of the copy descriptor and of the method of local features that go in; None
            to leave them out.
        thumbnails: where they are kept; None to leave them out.
        observe: called with the number of images after each part.

    Raises:
        DejafakeError: the file cannot be written, the catalogue cannot be read, or a text is too long for a bundle.
    """
    try:
        with told(path), replacing(path) as partial:
            with partial.open("wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                bundle = _Bundle(archive, detector, descriptor, features, thumbnails)
                with catalog.reading() as session:
                    for ids in images.by_digest(session, selection, _IMAGES_AT_ONCE):
                        observe(bundle.add_part(session, ids))
                digest = bundle.finish()
            size = partial.stat().st_size
    except ValidationError as error:
        raise DejafakeError(f"{path.name} would hold what no bundle may: {error.errors()[0]['msg']}") from None
    return BundleExport(
        digest, bundle.images, bundle.embeddings, bundle.copy_embeddings, bundle.features, bundle.thumbnails, size
    )


class _Bundle:
    def __init__(
        self,
        archive: zipfile.ZipFile,
        detector: BundledDetector,
        descriptor: str | None,
        method: str | None,
        thumbnails: MediaStore | None,
    ) -> None:
        self._archive = archive
        self._detector = detector
        self._descriptor = descriptor
        self._method = method
        self._thumbnails = thumbnails
        self._members: list[Member] = []
        self._parts = 0
        self.images = self.embeddings = self.copy_embeddings = self.features = self.thumbnails = 0

    def add_part(self, session: Session, ids: list[int]) -> int:
        """Write some images. Returns their number."""
        known = images.details(session, ids)
        history = label_history.statements(session, ids)
        vectors = embeddings.vectors(session, self._detector.fingerprint, ids)
        records = [
            _image(details, history.get(image_id, ()), self._detector.fingerprint if image_id in vectors else None)
            for image_id, details in known.items()
        ]
        rows = np.array([vectors[image_id] for image_id in known if image_id in vectors], "<f4")
        copies = self._for_copies(session, {image_id: details.image.sha256 for image_id, details in known.items()})
        tensors = copies.tensors([record.sha256 for record in records])
        self._put("images", "jsonl", _lines(records))
        if len(rows) or tensors:
            self._put("embeddings", "safetensors", save({VECTORS: rows.reshape(-1, EMBEDDING_SIZE), **tensors}))
        if self._thumbnails is not None:
            small = list(_small(self._thumbnails, (record.sha256 for record in records)))
            self._put("thumbnails", "jsonl", _lines(small))
            self.thumbnails += len(small)
        self._parts += 1
        self.images += len(records)
        self.embeddings += len(rows)
        self.copy_embeddings += len(copies.vectors)
        self.features += len(copies.features)
        return len(records)

    def _for_copies(self, session: Session, sha256s: dict[int, str]) -> ForCopies:
        vectors, taken = dict[int, Vector](), dict[int, bytes]()
        if self._descriptor is not None:
            vectors = copy_embeddings.vectors(session, self._descriptor, sha256s)
        if self._method is not None:
            taken = local_features.of(session, self._method, sha256s)
        return ForCopies(
            self._descriptor,
            {sha256s[image_id]: vector for image_id, vector in vectors.items()},
            self._method,
            {sha256s[image_id]: codes for image_id, codes in taken.items()},
        )

    def finish(self) -> str:
        """Write the manifest. Returns its SHA-256."""
        manifest = Manifest(
            format="dejafake-bundle",
            version=2,
            images=self.images,
            detector=self._detector,
            members=tuple(self._members),
        )
        data = manifest.model_dump_json(indent=1).encode()
        self._write(MANIFEST, data)
        return hashlib.sha256(data).hexdigest()

    def _put(self, folder: str, suffix: str, data: bytes) -> None:
        name = f"{folder}/{self._parts:05d}.{suffix}"
        self._members.append(Member(name=name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))
        self._write(name, data)

    def _write(self, name: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(name, _FIXED_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = 3
        entry.external_attr = 0o644 << 16
        self._archive.writestr(entry, data)


def _lines(records: Iterable[BaseModel]) -> bytes:
    return b"".join(record.model_dump_json().encode() + b"\n" for record in records)


def _image(details: ImageDetails, history: Sequence[Statement], fingerprint: str | None) -> BundledImage:
    image = details.image
    said = next((detection for detection in details.detections if detection.fingerprint == fingerprint), None)
    return BundledImage(
        **file_facts(image),
        pdq=image.pdq,
        pdq_quality=image.pdq_quality,
        pdq_method=image.pdq_method,
        labels=_labels(details, history),
        sightings=tuple(
            BundledSighting(**{name: _seen(field.kind, getattr(seen, name)) for name, field in SIGHTING_FIELDS.items()})
            for seen in details.sightings
        ),
        sources=tuple(
            BundledSource(source=source.source, location=source.location, fields=dict(source.fields))
            for source in details.sources
        ),
        collections=details.collections,
        detection=None if said is None else BundledDetection(logits=said.logits, p_fake=said.p_fake),
        provenance=tuple(bundled(finding) for finding in details.provenance),
    )


def _labels(details: ImageDetails, history: Sequence[Statement]) -> tuple[BundledLabel, ...]:
    """Statements in the order they were made, each with its edition."""
    return tuple(
        BundledLabel(
            value=stated.value,
            technique=stated.technique,
            generator=stated.generator,
            source_kind=stated.source_kind,
            source=stated.source,
            reason=stated.reason,
            stated_at=statement.since,
            edition=statement.edition,
        )
        for stated, statement in zip(details.labels, history, strict=True)
    )


def _small(thumbnails: MediaStore, sha256s: Iterable[str]) -> Iterator[BundledThumbnail]:
    for sha256 in sha256s:
        data = thumbnails.get(sha256)
        if data is not None:
            yield BundledThumbnail(sha256=sha256, jpeg=base64.b64encode(data).decode("ascii"))


def _seen(kind: SightingKind, value: Any) -> Any:
    return web_address(value) if kind is SightingKind.ADDRESS else value
