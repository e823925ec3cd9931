"""Records of watches and their events: frozen dataclasses, free of SQLAlchemy."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.catalog.records.campaigns import Reason
from indexer.catalog.records.filters import ImageFilter
from indexer.imaging.hashing import QueryHash
from indexer.vocabulary import Relation


class WatchKind(StrEnum):
    """What a watch looks for."""

    IMAGE = "image"
    CAMPAIGN = "campaign"
    FILTER = "filter"


class WebhookState(StrEnum):
    """The state of a watch's webhook. `stopped`: its receiver failed for too long; resuming the watch continues."""

    IDLE = "idle"
    PENDING = "pending"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class WatchedPicture:
    """A picture to watch for, reduced to what can be compared; the picture itself is not needed. `hashes` are the PDQ
    hashes to search with; `vector` [384] float32 is of the detector `fingerprint`; `features` are its packed local
    features by the method `features_fingerprint`. None where there is none.
    """

    sha256: str
    hashes: tuple[QueryHash, ...]
    pdq_quality: int
    fingerprint: str | None
    vector: npt.NDArray[np.float32] | None
    features: bytes | None = None
    features_fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """Where a watch's events are sent. `secret` signs them; None uses the installation's key."""

    url: str
    secret: str | None


@dataclass(frozen=True, slots=True)
class Webhook:
    """The state of a watch's webhook. `attempts` were made for the delivery that is due; `own_secret`: whether events
    are signed with the watch's own key, which is never shown.
    """

    url: str
    own_secret: bool
    state: WebhookState
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Watch:
    """A saved query. Of `image` (the SHA-256 of the watched picture), `campaign` and `filter` the one of its kind is
    set; `fingerprint` is of the detector that likeness to the picture is measured with."""

    id: str
    name: str
    kind: WatchKind
    image: str | None
    fingerprint: str | None
    campaign: str | None
    filter: ImageFilter | None
    created_at: datetime
    paused_at: datetime | None
    events: int
    webhook: Webhook | None


@dataclass(frozen=True, slots=True)
class LookingWatch:
    """The data needed to look for a watch's matches: of `picture`, `campaign` and `filter` the one of its kind is set.
    Images up to the internal id `image_after` and embeddings up to `embedding_after` were checked; images up to
    `began_after` existed before the watch.
    """

    id: str
    picture: WatchedPicture | None
    campaign: str | None
    filter: ImageFilter | None
    began_after: int
    image_after: int
    embedding_after: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new image, by its internal id. `pdq` is 32 bytes; `content` as of an `Image`."""

    id: int
    sha256: str
    pdq: bytes
    pdq_quality: int
    content: int | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """An image that is new in a campaign, by its internal id."""

    id: int
    sha256: str
    strength: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class NewWatchEvent:
    """A match of a watch, to be stored. `statement` is for a person; `evidence` is plain JSON."""

    sha256: str
    relation: Relation | None
    statement: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """A stored match of a watch, at most one per watch and image. `in_catalogue`: whether the image still exists; its
    event stays when it is deleted.
    """

    watch: str
    sha256: str
    relation: Relation | None
    statement: str
    evidence: Mapping[str, Any]
    found_at: datetime
    in_catalogue: bool


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """Events of a watch that are due for delivery, in order, up to the internal id `through`; `attempts` were made
    before.
    """

    watch: Watch
    through: int
    events: tuple[WatchEvent, ...]
    url: str
    secret: str | None
    attempts: int
