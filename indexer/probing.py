"""From what is asked with to what can be compared: pictures, images of the catalogue, hashes or embeddings alone.

What they are compared with, and what follows from it, lives in `indexer.search`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

from indexer.answers import QueryFacts
from indexer.calibration import CalibrationVersion
from indexer.catalog import images
from indexer.catalog.database import Catalog
from indexer.catalog.records import KnownImage, ProvenanceFinding
from indexer.detector import ResolvedDetector
from indexer.detector.preprocessing import prepare
from indexer.detector.shared_passes import Seen
from indexer.errors import NotFoundError, UsageError
from indexer.file_origin import as_findings
from indexer.findings import DetectorFinding, find
from indexer.imaging.decoding import DecodedImage, decode
from indexer.imaging.hashing import PdqHash, pdq_dihedrals
from indexer.imaging.limits import ImageLimits
from indexer.provenance import ProvenanceLimits, read_provenance
from indexer.settings import Settings

Vector = npt.NDArray[np.float32]

_DIMENSION = 384


@dataclass(frozen=True, slots=True)
class OpenedPicture:
    """A decoded picture and the `data` of its file."""

    image: DecodedImage
    data: bytes


@dataclass(frozen=True, slots=True)
class MeasuredPicture:
    """A picture hashed. `hashes` are PDQ by orientation, `original` first; `origin` is what its file says of itself."""

    facts: QueryFacts
    hashes: tuple[tuple[str, PdqHash], ...]
    origin: tuple[ProvenanceFinding, ...]


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """A picture waiting for the model: `pixels` [3, 384, 384] float32."""

    measured: MeasuredPicture
    pixels: Vector


@dataclass(frozen=True, slots=True)
class Probe:
    """A query reduced to what can be compared. `hashes` pairs each PDQ orientation's name with its 32 bytes; `origin`
    is what its file says of itself, None when there is no file."""

    facts: QueryFacts
    hashes: tuple[tuple[str, bytes], ...] = ()
    vector: Vector | None = None
    finding: DetectorFinding | None = None
    origin: tuple[ProvenanceFinding, ...] | None = None


class Stopwatch:
    """Collects how long the named steps of one query took; a step that comes twice is summed."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Times what is done inside."""
        started = perf_counter()
        try:
            yield
        finally:
            self.add(name, perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Adds to a step what was timed elsewhere."""
        self.milliseconds[name] = round(self.milliseconds.get(name, 0.0) + seconds * 1000, 3)


class Prober:
    """Makes probes of what one detector saw; arguments as of `Searcher`. Safe to share between threads."""

    def __init__(self, catalog: Catalog, resolved: ResolvedDetector, settings: Settings) -> None:
        self._catalog = catalog
        self._resolved = resolved
        self._limits = ImageLimits.from_settings(settings)
        self._provenance_limits = ProvenanceLimits.from_settings(settings)

    def decode(self, data: bytes, watch: Stopwatch) -> DecodedImage:
        """The picture in the bytes of an image file.

        Raises:
            ImageRejectedError: the bytes are not a picture that is accepted.
        """
        with watch.step("decode"):
            return decode(data, self._limits)

    def measure(self, image: DecodedImage, data: bytes, watch: Stopwatch) -> MeasuredPicture:
        """Hashes a decoded picture and reads what its file says of its origin."""
        with watch.step("hash"):
            hashes = pdq_dihedrals(image.rgb)
        with watch.step("provenance"):
            origin = as_findings(read_provenance(data, self._provenance_limits, image))
        original = hashes[0][1]
        facts = QueryFacts(
            kind="image",
            sha256=image.sha256,
            pdq=original.hex,
            pdq_quality=original.quality,
            format=image.format,
            width=image.width,
            height=image.height,
            notes=image.notes,
        )
        return MeasuredPicture(facts, hashes, origin)

    def pixels(self, image: DecodedImage, watch: Stopwatch) -> Vector:
        """The model's input [3, 384, 384] for a decoded picture; does not wait for the model to be loaded."""
        with watch.step("prepare"):
            return prepare(image.rgb, self._resolved.spec.preprocessing)

    def of_picture(self, measured: MeasuredPicture, seen: Seen, calibration: CalibrationVersion | None) -> Probe:
        """A picture with what the detector saw in it."""
        trained = self._resolved.spec.trained
        return Probe(
            facts=measured.facts,
            hashes=tuple((name, pdq.bits) for name, pdq in measured.hashes),
            vector=seen.embedding,
            finding=find(
                self._resolved.spec.name,
                self._resolved.fingerprint,
                trained=trained,
                logits=seen.logits,
                p_fake=seen.p_fake if trained else None,
                calibration=calibration,
            ),
            origin=measured.origin,
        )

    def of_known(self, sha256: str) -> tuple[Probe, KnownImage]:
        """An image of the catalogue, by what is stored of it but its embedding, and the image.

        Raises:
            NotFoundError: no such image.
        """
        with self._catalog.reading() as session:
            known = images.known(session, sha256)
        if known is None:
            raise NotFoundError(f"no image {sha256} in this catalogue: check the SHA-256")
        image = known.details.image
        facts = QueryFacts(
            kind="image_id",
            sha256=sha256,
            pdq=image.pdq,
            pdq_quality=image.pdq_quality,
            format=image.format,
            width=image.width,
            height=image.height,
            notes=image.notes,
        )
        hashes = (("original", bytes.fromhex(image.pdq)),)
        looked = known.details.provenance or known.details.provenance_read_at is not None
        origin = known.details.provenance if looked else None
        return Probe(facts=facts, hashes=hashes, origin=origin), known


def of_hashes(sha256: str | None, pdq: str | None) -> Probe:
    """A picture that is not at hand, by its SHA-256 (64 lower-case hex digits), its PDQ hash (64 hex digits), or both;
    the quality of a PDQ hash is taken on trust.

    Raises:
        UsageError: the PDQ hash is not one.
    """
    if pdq is None:
        return Probe(facts=QueryFacts(kind="sha256", sha256=sha256))
    try:
        hashed = PdqHash.from_hex(pdq if len(pdq) == 64 else "")
    except ValueError:
        raise UsageError("a PDQ hash is 64 hex digits") from None
    facts = QueryFacts(kind="pdq", sha256=sha256, pdq=hashed.hex, pdq_quality=hashed.quality)
    return Probe(facts=facts, hashes=(("original", hashed.bits),))


def of_embedding(embedding: Sequence[float]) -> Probe:
    """An embedding of the detector in use; it is L2-normalised here.

    Raises:
        UsageError: it has not 384 finite numbers, or is all zero.
    """
    vector = np.asarray(embedding, dtype=np.float32)
    norm = float(np.linalg.norm(vector)) if vector.shape == (_DIMENSION,) else float("nan")
    if not np.isfinite(norm) or norm == 0.0:
        raise UsageError(f"an embedding is {_DIMENSION} finite numbers that are not all zero")
    return Probe(facts=QueryFacts(kind="embedding"), vector=vector / np.float32(norm))
