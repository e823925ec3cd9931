"""Writes a bundle: in parts, in flat memory, the same catalogue to the same bytes."""

import base64
import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ValidationError
from safetensors.numpy import save
from sqlalchemy.orm import Session

from indexer.catalog import Catalog, embeddings, images, label_history
from indexer.catalog.label_history import Statement
from indexer.catalog.records import ImageDetails, ImageFilter
from indexer.errors import DejafakeError
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
from indexer.imaging.media import MediaStore

_IMAGES_AT_ONCE = 500
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class BundleExport:
    """What was written. `bundle` is the SHA-256 of the manifest: tell it to whoever gets the file, by another way."""

    bundle: str
    images: int
    embeddings: int
    thumbnails: int
    bytes: int


def export_bundle(
    catalog: Catalog,
    wanted: ImageFilter,
    detector: BundledDetector,
    path: Path,
    *,
    thumbnails: MediaStore | None = None,
    observe: Callable[[int], None] = lambda _: None,
) -> BundleExport:
    """Write the images that meet a filter with labels, sightings, sources, collections, provenance, hashes and
    embeddings, as of one moment. The file appears whole or not at all.

    Args:
        detector: whose embeddings and scores go in.
        thumbnails: where they lie; None to leave them out.
        observe: told how many images were just written.

    Raises:
        DejafakeError: the file cannot be written, the catalogue cannot be read, or a text is too long for a bundle.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            bundle = _Bundle(archive, detector, thumbnails)
            with catalog.reading() as session:
                for ids in images.by_digest(session, wanted, _IMAGES_AT_ONCE):
                    observe(bundle.add_part(session, ids))
            digest = bundle.finish()
        size = partial.stat().st_size
        partial.replace(path)
    except OSError as error:
        raise DejafakeError(f"cannot write {path}: {error.strerror or error}") from None
    except ValidationError as error:
        raise DejafakeError(f"{path.name} would hold what no bundle may: {error.errors()[0]['msg']}") from None
    finally:
        partial.unlink(missing_ok=True)
    return BundleExport(digest, bundle.images, bundle.embeddings, bundle.thumbnails, size)


class _Bundle:
    def __init__(self, archive: zipfile.ZipFile, detector: BundledDetector, thumbnails: MediaStore | None) -> None:
        self._archive = archive
        self._detector = detector
        self._thumbnails = thumbnails
        self._members: list[Member] = []
        self._parts = 0
        self.images = self.embeddings = self.thumbnails = 0

    def add_part(self, session: Session, ids: list[int]) -> int:
        """Write some images; how many there were."""
        known = images.details(session, ids)
        history = label_history.statements(session, ids)
        vectors = embeddings.vectors(session, self._detector.fingerprint, ids)
        records = [
            _image(details, history.get(image_id, ()), self._detector.fingerprint if image_id in vectors else None)
            for image_id, details in known.items()
        ]
        rows = [vectors[image_id] for image_id in known if image_id in vectors]
        self._put("images", "jsonl", _lines(records))
        if rows:
            self._put("embeddings", "safetensors", save({VECTORS: np.stack(rows).astype("<f4")}))
        if self._thumbnails is not None:
            small = list(_small(self._thumbnails, (record.sha256 for record in records)))
            self._put("thumbnails", "jsonl", _lines(small))
            self.thumbnails += len(small)
        self._parts += 1
        self.images += len(records)
        self.embeddings += len(rows)
        return len(records)

    def finish(self) -> str:
        """Write the manifest; its SHA-256."""
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
    said = next((one for one in details.detections if one.fingerprint == fingerprint), None)
    return BundledImage(
        sha256=image.sha256,
        byte_size=image.byte_size,
        format=image.format,
        width=image.width,
        height=image.height,
        mode=image.mode,
        frames=image.frames,
        notes=image.notes,
        pdq=image.pdq,
        pdq_quality=image.pdq_quality,
        pdq_method=image.pdq_method,
        labels=_labels(details, history),
        sightings=tuple(
            BundledSighting(
                url=web_address(seen.url),
                archive_url=web_address(seen.archive_url),
                platform=seen.platform,
                account=seen.account,
                posted_at=seen.posted_at,
                caption=seen.caption,
                language=seen.language,
                claim=seen.claim,
            )
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
    """Statements in the order they were made; what was one edition here is one edition there."""
    return tuple(
        BundledLabel(
            value=stated.value,
            technique=stated.technique,
            generator=stated.generator,
            source_kind=stated.source_kind,
            source=stated.source,
            reason=stated.reason,
            stated_at=made.since,
            edition=made.edition,
        )
        for stated, made in zip(details.labels, history, strict=True)
    )


def _small(thumbnails: MediaStore, sha256s: Iterable[str]) -> Iterator[BundledThumbnail]:
    for sha256 in sha256s:
        data = thumbnails.get(sha256)
        if data is not None:
            yield BundledThumbnail(sha256=sha256, jpeg=base64.b64encode(data).decode("ascii"))
