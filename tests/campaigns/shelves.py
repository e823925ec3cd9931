"""A real catalogue and index to put pictures on, with embeddings that are planted instead of computed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.catalog.database import Catalog
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import images, labels, provenance, sightings
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.labels import NewLabel
from indexer.files.media import MediaStore
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.imaging.thumbnails import make_thumbnail
from indexer.index import SearchIndex
from indexer.ingest.preparing import new_image
from indexer.provenance import read_provenance
from indexer.provenance.recording import as_findings
from indexer.settings import Settings
from indexer.sightings import NewSighting
from indexer.vocabulary import LabelSource, LabelValue, Technique
from tests.campaigns.planted import unit


def origin(seed: int, number: int, spread: float = 0.02) -> np.ndarray:
    """A vector [384] of the origin `seed`: those of one origin have cosines above .98, those of two about 0."""
    middle = unit(np.random.default_rng(seed).normal(size=384))
    return unit(middle + spread * np.random.default_rng((seed, number)).normal(size=384) / np.sqrt(384) * 4)


class Shelf:
    """A catalogue with its index, and ways to put pictures in."""

    def __init__(self, home: Path, *, trained: bool = True, **settings: object) -> None:
        self.settings = Settings(home=home, **settings)  # type: ignore[arg-type]
        self.catalog = Catalog.open(self.settings.catalog_url)
        self.fingerprint = "f" * 64
        self.index = SearchIndex(self.catalog, self.settings, self.fingerprint)
        with self.catalog.writing() as session:
            self._detector = detectors.register(session, "planted", self.fingerprint, trained, {})

    def add(
        self,
        data: bytes,
        vector: np.ndarray,
        label: LabelValue = LabelValue.FAKE,
        seen: Sequence[NewSighting] = (),
        *,
        generator: str | None = None,
        said_by: str = "desk",
        keep: bool = False,
    ) -> str:
        """Puts a picture in and returns its SHA-256; `keep`: with a thumbnail."""
        image = decode(data, ImageLimits.from_settings(self.settings))
        with self.catalog.writing() as session:
            image_id = images.add(session, new_image(image))
            technique = Technique.TEXT_TO_IMAGE
            labels.state(session, image_id, [NewLabel(label, LabelSource.HUMAN, said_by, technique, generator)])
            sightings.add(session, image_id, seen)
            provenance.record(session, image_id, as_findings(read_provenance(data, picture=image)))
            detection = NewDetection(vector.astype(np.float32), (0.0,), 0.5)
            embeddings.add(session, self._detector, [(image_id, detection)])
        if keep:
            thumbnail = make_thumbnail(image.rgb, self.settings.thumbnail_size)
            MediaStore(self.settings.thumbnails_dir).put(image.sha256, thumbnail)
        return image.sha256

    def close(self) -> None:
        self.index.close()
        self.catalog.close()


def mirrored(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
