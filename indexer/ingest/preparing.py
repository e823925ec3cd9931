"""An item's bytes made ready for the catalogue and the models, in worker threads: read, hashed, decoded, kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from PIL import Image

from indexer.arrays import Floats, Vectors
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.copies import local_features
from indexer.catalog.database import Catalog
from indexer.catalog.detections import embeddings
from indexer.catalog.images import images, provenance, reference_hashes
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.copies.features import FEATURES_FINGERPRINT
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.files.media import MediaStore
from indexer.imaging.content import content_of
from indexer.imaging.decoding import DecodedImage, decode, sha256_hex
from indexer.imaging.file_facts import file_facts
from indexer.imaging.hashing import pdq_hash
from indexer.imaging.limits import ImageLimits
from indexer.imaging.thumbnails import make_thumbnail
from indexer.provenance import ProvenanceLimits, read_provenance
from indexer.provenance.recording import as_findings
from indexer.settings import Settings
from indexer.sources.items import SourceItem, SourceRejection
from indexer.vocabulary import PdqMethod

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector


class DescriptorSpec(Protocol):
    """What is to be known of a copy descriptor."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def dimension(self) -> int:
        """Numbers in one embedding."""

    def as_json(self) -> Mapping[str, Any]:
        """As plain JSON values."""


class Describer(Protocol):
    """A copy descriptor: a picture prepared in any thread becomes an embedding in one."""

    @property
    def spec(self) -> DescriptorSpec:
        """What it is."""

    @property
    def fingerprint(self) -> str:
        """Of all that decides an embedding."""

    def prepare(self, rgb: Image.Image) -> Floats:
        """The view [3, S, S] of a picture."""

    def run(self, batch: Floats) -> Vectors:
        """The embeddings [N, D] of views [N, 3, S, S]."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is new to the catalogue or to the detector. `pixels` [3, 384, 384] float32."""

    image: NewImage
    pixels: Floats


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item whose bytes were read. What the catalogue holds already is None.

    `picture` is None when it holds the image and its embedding; `origin` is what the file says of its own origin;
    `renewed` has the reference hash in place of another one; `view` [3, S, S] float32 is for the copy descriptor;
    `features` are packed local features, empty where there is too little in the picture.
    """

    item: SourceItem
    sha256: str
    picture: Picture | None
    origin: tuple[ProvenanceFinding, ...] | None
    renewed: NewImage | None
    view: Floats | None
    features: bytes | None


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the catalogue holds of an image: the detector's embedding, what its file says of its origin, the reference
    hash, the copy embedding, local features. What is turned off counts as held."""

    embedded: bool
    told: bool
    hashed: bool
    described: bool
    featured: bool


class Preparer:
    """Makes items ready. Threads may share it.

    Args:
        originals, thumbnails: where files go; originals are kept only if the settings say so.
        descriptor: None where no copy embeddings are taken.
    """

    def __init__(
        self,
        catalog: Catalog,
        detector: "Detector",
        originals: MediaStore,
        thumbnails: MediaStore,
        settings: Settings,
        descriptor: Describer | None,
    ) -> None:
        self._catalog = catalog
        self._detector = detector
        self._originals = originals
        self._thumbnails = thumbnails
        self._settings = settings
        self._descriptor = descriptor
        self._limits = ImageLimits.from_settings(settings)
        self._provenance_limits = ProvenanceLimits.from_settings(settings)

    def prepare(self, item: SourceItem | SourceRejection) -> Prepared | SourceRejection:
        """What an item becomes.

        Raises:
            DejafakeError: the files cannot be written (a full disk), or the catalogue not read.
        """
        if isinstance(item, SourceRejection):
            return item
        try:
            data = item.read()
            sha256 = sha256_hex(data)
            if item.expected_sha256 not in (None, sha256):
                raise ImageRejectedError(
                    "sha256_mismatch", f"the bytes have SHA-256 {sha256}, not the one the list gives"
                )
            standing = self._standing(sha256)
            return (self._again if standing.embedded else self._anew)(item, data, sha256, standing)
        except ImageRejectedError as error:
            return SourceRejection(item.source, item.location, error.reason, str(error))

    def _standing(self, sha256: str) -> _Standing:
        with self._catalog.reading() as session:
            ids = list(images.find_ids(session, [sha256]).values())
            of, featured = self._descriptor, not self._settings.local_features
            if not ids:
                return _Standing(False, False, False, of is None, featured)
            return _Standing(
                embedded=bool(embeddings.having(session, self._detector.fingerprint, ids)),
                told=not provenance.unread(session, ids),
                hashed=not reference_hashes.lacking_among(session, ids),
                described=of is None or bool(copy_embeddings.having(session, of.fingerprint, ids)),
                featured=featured or bool(local_features.having(session, FEATURES_FINGERPRINT, ids)),
            )

    def _anew(self, item: SourceItem, data: bytes, sha256: str, standing: _Standing) -> Prepared:
        """An image that is new to the catalogue, or to the detector."""
        decoded = decode(data, self._limits, sha256)
        self._keep(sha256, data, make_thumbnail(decoded.rgb, self._settings.thumbnail_size))
        image = replace(new_image(decoded), original_kept=self._settings.keep_originals)
        return Prepared(
            item,
            sha256,
            Picture(image, self._detector.prepare(decoded.rgb)),
            self._origin(data, decoded),
            None,
            *self._for_copies(decoded.rgb, image.content, standing),
        )

    def _again(self, item: SourceItem, data: bytes, sha256: str, standing: _Standing) -> Prepared:
        """An image that is known: it is decoded only for what it lacks."""
        origin = None if standing.told else self._origin(data, None)
        if standing.hashed and standing.described and standing.featured:
            return Prepared(item, sha256, None, origin, None, None, None)
        decoded = decode(data, self._limits, sha256)
        renewed = None if standing.hashed else new_image(decoded)
        content = None if renewed is None else renewed.content  # measured where it is needed
        return Prepared(item, sha256, None, origin, renewed, *self._for_copies(decoded.rgb, content, standing))

    def _for_copies(
        self, rgb: Image.Image, content: int | None, standing: _Standing
    ) -> tuple[Floats | None, bytes | None]:
        """The view for the copy descriptor, and packed local features, where the catalogue lacks them."""
        view = None if standing.described or self._descriptor is None else self._descriptor.prepare(rgb)
        if standing.featured:
            return view, None
        from indexer.copies.features.taking import packed_features  # loads OpenCV

        return view, packed_features(rgb, content)

    def _origin(self, data: bytes, picture: DecodedImage | None) -> tuple[ProvenanceFinding, ...] | None:
        """None where reading failed through no fault of the file: it is then read again next time."""
        read = read_provenance(data, self._provenance_limits, picture)
        return as_findings(read) if read.complete else None

    def _keep(self, sha256: str, data: bytes, thumbnail: bytes) -> None:
        """Writes an image's files before the catalogue knows it: a file too many does no harm, one missing would."""
        try:
            if self._settings.keep_originals:
                self._originals.put(sha256, data)
            self._thumbnails.put(sha256, thumbnail)
        except OSError as error:
            raise DejafakeError(
                f"{self._settings.home} cannot be written ({error.strerror or error}): free some space or check the "
                f"disk and run "
                "the same command again; what was ingested so far is safe"
            ) from None


def new_image(image: DecodedImage) -> NewImage:
    """What the catalogue keeps of a decoded picture."""
    pdq = pdq_hash(image.rgb)
    return NewImage(
        **file_facts(image),
        pdq=pdq.bits,
        pdq_quality=pdq.quality,
        pdq_method=PdqMethod.REFERENCE,
        content=content_of(image.rgb),
    )
