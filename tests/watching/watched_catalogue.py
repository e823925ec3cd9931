"""A catalogue whose images, hashes and embeddings are planted, and watches on it."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer.arrays import Vector
from indexer.catalog import Catalog
from indexer.catalog.detections import detectors, embeddings
from indexer.catalog.images import images, labels
from indexer.catalog.records.campaigns import CampaignMember, Reason
from indexer.catalog.records.detections import NewDetection
from indexer.catalog.records.images import NewImage
from indexer.catalog.records.labels import NewLabel
from indexer.catalog.records.watches import NewWebhook, Watch, WatchedPicture, WatchEvent
from indexer.catalog.watches import events as watch_events
from indexer.catalog.watches import watches
from indexer.copies.verification.thumbnails import Thumbnails
from indexer.imaging.hashing import QueryHash
from indexer.settings import Settings
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import LabelSource, LabelValue, ReasonKind
from indexer.watching import Alerts, Lookout

FINGERPRINT = "f" * 64
THRESHOLDS = Thresholds(max_distance=31, min_quality=50, min_cosine=0.9, trained=True)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def digest(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()


def pdq(number: int, flipped: int = 0) -> bytes:
    """The hash of picture `number`, with its first bits flipped."""
    bits = int.from_bytes(sha256(f"pdq {number}".encode()).digest())
    return (bits ^ ((1 << flipped) - 1)).to_bytes(32)


def vector(number: int, spread: float = 0.0) -> Vector:
    """A vector of the origin `number`; a spread of 0.2 keeps a cosine of .98 with it."""
    middle = np.random.default_rng(number).standard_normal(384)
    other = np.random.default_rng((number, 1)).standard_normal(384)
    values = middle / np.linalg.norm(middle) + spread * other / np.linalg.norm(other)
    return (values / np.linalg.norm(values)).astype(np.float32)


def picture(number: int) -> WatchedPicture:
    hashes = (QueryHash("original", pdq(number)), QueryHash("mirrored", pdq(number + 1_000)))
    return WatchedPicture(digest(number), hashes, 90, FINGERPRINT, vector(number))


def add(
    catalog: Catalog, number: int, *, hash_: bytes | None = None, like: npt.NDArray[np.float32] | None = None
) -> str:
    """Adds image `number`, with an embedding when it is `like` something; its digest."""
    with catalog.writing() as session:
        facts = (1_000, "JPEG", 640, 480, "RGB", 1, ())
        image_id = images.add(session, NewImage(digest(number), *facts, hash_ or pdq(number), 90, "reference"))
        said = NewLabel(LabelValue.FAKE if number % 2 else LabelValue.AUTHENTIC, LabelSource.HUMAN, "desk one")
        labels.state(session, image_id, [said])
    if like is not None:
        embed(catalog, number, like)
    return digest(number)


def embed(catalog: Catalog, number: int, like: Vector) -> None:
    with catalog.writing() as session:
        detector_id = detectors.register(session, "small", FINGERPRINT, True, {"name": "small"})
        image_id = images.find_ids(session, [digest(number)])[digest(number)]
        embeddings.add(session, detector_id, [(image_id, NewDetection(like, (0.5,), 0.125))])


def watch_picture(catalog: Catalog, number: int, webhook: NewWebhook | None = None) -> Watch:
    with catalog.writing() as session:
        return watches.add_picture(session, f"picture {number}", picture(number), most=10, webhook=webhook)


def lookout(catalog: Catalog, home: Path = Path("nowhere")) -> Lookout:
    """A lookout; `home`: where thumbnails are."""
    return Lookout(catalog, Thumbnails(Settings(home=home)), FINGERPRINT, lambda: THRESHOLDS)


def look(catalog: Catalog, home: Path = Path("nowhere")) -> Alerts:
    return lookout(catalog, home).look(NOW)


def events(catalog: Catalog, watch: Watch) -> tuple[WatchEvent, ...]:
    with catalog.reading() as session:
        return watch_events.page(session, watch.id, 1_000).items


def found(catalog: Catalog, watch: Watch) -> list[tuple[str, str | None]]:
    return [(one.sha256, None if one.relation is None else one.relation.value) for one in events(catalog, watch)]


def member(number: int) -> CampaignMember:
    return CampaignMember(digest(number), 0.75, exemplar=False, reasons=(Reason(ReasonKind.SAME_PICTURE, value=12.0),))
