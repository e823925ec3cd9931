"""Checks what was added to the catalogue since each watch was last checked.

Checking only reads, so writers never wait for it. The matches of a watch and its new position are then written in one
short transaction, unless another process was faster: nothing is lost and nothing is reported twice. A watch that cannot
be looked at is logged and holds up no other.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from indexer.catalog.copies import local_features
from indexer.catalog.database import Catalog
from indexer.catalog.detections import embeddings
from indexer.catalog.images import images
from indexer.catalog.records.detections import EmbeddingBatch
from indexer.catalog.records.watches import Arrival, Joined, LookingWatch, NewWatchEvent, WatchedPicture
from indexer.catalog.watches import arrivals as watch_arrivals
from indexer.catalog.watches import events as watch_events
from indexer.copies.features import FEATURES_FINGERPRINT, LocalFeatures, readable
from indexer.copies.verification.thumbnails import KnownPairs, Thumbnails
from indexer.errors import CatalogError
from indexer.verdict.thresholds import Thresholds
from indexer.watching.altered import ArrivedFeatures
from indexer.watching.matching import filter_event, member_event, nearby, picture_event
from indexer.workspace import Workspace

logger = logging.getLogger("dejafake.watching")

_AT_ONCE = 256
"""Images, embeddings or members that each watch looks at in one go."""
_WRITTEN_AT_ONCE = 32
"""Watches whose findings are written in one transaction."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """How many images were reported, by how many watches."""

    alerts: int
    watches: int


class Lookout:
    """Searches for matches of all watches of a catalogue. Several processes may run this at once.

    Args:
        catalog: holds watches, images and embeddings.
        thumbnails: of the images.
        fingerprint: of the detector in use; only watches created with it search by similarity.
        thresholds: what currently counts as the same picture and the same origin.
    """

    def __init__(
        self, catalog: Catalog, thumbnails: Thumbnails, fingerprint: str, thresholds: Callable[[], Thresholds]
    ) -> None:
        self._catalog = catalog
        self._thumbnails = thumbnails
        self._fingerprint = fingerprint
        self._thresholds = thresholds
        self._broken: dict[str, str] = {}

    @classmethod
    def of(cls, workspace: Workspace) -> "Lookout":
        """For the catalogue of an installation."""
        thumbnails = Thumbnails(workspace.settings)
        return cls(workspace.catalog, thumbnails, workspace.resolved.fingerprint, workspace.searcher.thresholds)

    def look(self, now: datetime, stopping: Callable[[], bool] = lambda: False) -> Alerts:
        """Checks everything that was added, or until `stopping` is set; the rest is checked the next time.

        Raises:
            CatalogError: the catalogue cannot be read or written. What was found before is safe.
        """
        reported: Counter[str] = Counter()
        going_on = True
        while going_on and not stopping():
            results = self._seen()
            going_on = False
            for start in range(0, len(results), _WRITTEN_AT_ONCE):
                recorded, some = self._record(results[start : start + _WRITTEN_AT_ONCE], now)
                reported += recorded
                going_on = going_on or some
        return Alerts(reported.total(), len(reported))

    def _seen(self) -> "list[_Seen]":
        """What there is to write: of all watches together, or of each alone when one of them fails the others."""
        thresholds = self._thresholds()
        with self._catalog.reading() as session:
            if not watch_arrivals.anything(session, self._fingerprint):
                return []
            ids = watch_arrivals.looking_ids(session)
        seen: list[_Seen] = []
        sound = [number for number in ids if number not in self._broken]
        try:
            seen += self._look(sound, thresholds)
        except CatalogError:
            raise
        except Exception:  # noqa: BLE001 - of one of them; which, is seen below
            sound = []
        for watch_id in (number for number in ids if number not in sound):
            with self._alone(watch_id):
                seen += self._look([watch_id], thresholds)
        return seen

    def _look(self, ids: Sequence[str], thresholds: Thresholds) -> "list[_Seen]":
        with self._catalog.reading() as session:
            return _Look(session, self._thumbnails, self._fingerprint, thresholds).watches(ids)

    def _record(self, seen: "Sequence[_Seen]", now: datetime) -> tuple[Counter[str], bool]:
        """How many images each watch reports, and whether anything was recorded."""
        try:
            with self._catalog.writing() as session:
                counts = _recorded(session, seen, now)
            for result in seen:
                self._broken.pop(result.watch.id, None)
            return counts, True
        except CatalogError:
            raise
        except Exception:  # noqa: BLE001 - of one of them; which, is seen below
            counts, some = Counter(), False
            for result in seen:
                with self._alone(result.watch.id), self._catalog.writing() as session:
                    counts += _recorded(session, [result], now)
                    some = True
                    self._broken.pop(result.watch.id, None)
            return counts, some

    @contextmanager
    def _alone(self, watch_id: str) -> Iterator[None]:
        """Keeps the failure of one watch from the others; it is logged when it is new."""
        try:
            yield
        except CatalogError:
            raise
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            if self._broken.get(watch_id) != words:
                logger.exception("watch %s cannot be looked at; it is tried again, and the others go on", watch_id)
            self._broken[watch_id] = words


@dataclass(frozen=True, slots=True)
class _Seen:
    """The result of checking a watch as it was then: how far it was checked, the new members of its campaign in
    `joined`, and other matches in `events`.
    """

    watch: LookingWatch
    image_after: int
    embedding_after: int
    events: tuple[NewWatchEvent, ...] = ()
    joined: tuple[Joined, ...] = ()


def _recorded(session: Session, results: Sequence[_Seen], now: datetime) -> Counter[str]:
    """How many images each watch reports. Watches checked by another process, paused or deleted in the meantime are
    skipped.
    """
    counts: Counter[str] = Counter()
    for result in results:
        if result.joined:
            new = watch_arrivals.know(session, result.watch.id, [member.id for member in result.joined])
            events = [member_event(member) for member in result.joined if member.id in new]
        elif watch_arrivals.advance(
            session, result.watch, image_after=result.image_after, embedding_after=result.embedding_after
        ):
            events = [*result.events]
        else:
            continue
        reported = watch_events.record(session, result.watch.id, events, now)
        if reported:
            counts[result.watch.id] = reported
    return counts


class _Look:
    """One check of one state of the catalogue; data needed by several watches is read once."""

    def __init__(self, session: Session, thumbnails: Thumbnails, fingerprint: str, thresholds: Thresholds) -> None:
        self._session = session
        self._pairs = KnownPairs(thumbnails)
        self._fingerprint = fingerprint
        self._thresholds = thresholds
        self._images: dict[int, tuple[Arrival, ...]] = {}
        self._embeddings: dict[int, EmbeddingBatch] = {}
        self._features: dict[int, ArrivedFeatures] = {}

    def watches(self, ids: Sequence[str]) -> list[_Seen]:
        """What is to be written of each of these watches; those without anything new are left out."""
        seen = (self._seen(watch) for watch in watch_arrivals.looking(self._session, ids))
        return [result for result in seen if result is not None]

    def _seen(self, watch: LookingWatch) -> _Seen | None:
        if watch.campaign is None:
            return self._new_images(watch)
        joined = watch_arrivals.joined(self._session, watch.id, _AT_ONCE)
        return _Seen(watch, watch.image_after, watch.embedding_after, joined=joined) if joined else None

    def _new_images(self, watch: LookingWatch) -> _Seen | None:
        came = self._images_after(watch.image_after)
        seen_up_to, embedded = (came[-1].id if came else watch.image_after), watch.embedding_after
        if watch.filter is not None:
            met = watch_arrivals.meeting(self._session, watch.filter, [arrival.id for arrival in came])
            events = [filter_event(arrival) for arrival in met]
        elif watch.picture is None:
            raise AssertionError("a watch is of a picture, a campaign or a filter")
        else:
            events = self._same_pictures(watch.picture, came)
            events += self._altered(watch.picture, watch.image_after, {event.sha256 for event in events})
            if watch.picture.fingerprint == self._fingerprint:
                batch = self._embeddings_after(embedded)
                embedded = int(batch.embedding_ids[-1]) if len(batch.embedding_ids) else embedded
                events += self._same_origin(watch.picture, batch, watch.began_after)
        if (seen_up_to, embedded) == (watch.image_after, watch.embedding_after):
            return None
        return _Seen(watch, seen_up_to, embedded, tuple(events))

    def _same_pictures(self, picture: WatchedPicture, came: tuple[Arrival, ...]) -> list[NewWatchEvent]:
        near = nearby(picture, came, self._thresholds.max_distance)
        vectors = {}
        if near and picture.fingerprint is not None:
            vectors = embeddings.vectors(self._session, picture.fingerprint, [arrival.id for arrival in near])
        reports = (picture_event(picture, arrival, vectors.get(arrival.id), self._thresholds) for arrival in near)
        return [arrival for arrival in reports if arrival is not None]

    def _altered(self, picture: WatchedPicture, after: int, reported: set[str]) -> list[NewWatchEvent]:
        """The images after `after` that are altered copies by their local features, without those reported already."""
        details = self._details_of(picture)
        if details is None:
            return []
        if after not in self._features:
            self._features[after] = ArrivedFeatures.of(self._session, self._images_after(after))
        min_quality = self._thresholds.min_quality
        overlaps = self._features[after].overlaps(picture, details, self._pairs, min_quality, reported)
        reports = (picture_event(picture, arrival, None, self._thresholds, overlap) for arrival, overlap in overlaps)
        return [event for event in reports if event is not None]

    def _details_of(self, picture: WatchedPicture) -> LocalFeatures | None:
        """The features a watch keeps, or those of the same image in the catalogue; None where there are none."""
        codes = picture.features if picture.features_fingerprint == FEATURES_FINGERPRINT else None
        if codes is None:
            ids = images.find_ids(self._session, [picture.sha256]).values()
            codes = next(iter(local_features.of(self._session, FEATURES_FINGERPRINT, ids).values()), None)
        return None if codes is None else readable(codes, f"the watched picture {picture.sha256}")

    def _same_origin(self, picture: WatchedPicture, batch: EmbeddingBatch, began_after: int) -> list[NewWatchEvent]:
        smallest = self._thresholds.min_cosine
        if picture.vector is None or smallest is None or not self._thresholds.trained or not len(batch.image_ids):
            return []
        like = (batch.vectors @ picture.vector >= smallest - 1e-5) & (batch.image_ids > began_after)
        vectors = dict(zip(batch.image_ids[like].tolist(), batch.vectors[like], strict=True))
        came = watch_arrivals.images(self._session, vectors)
        reports = (picture_event(picture, arrival, vectors[arrival.id], self._thresholds) for arrival in came)
        return [arrival for arrival in reports if arrival is not None]

    def _images_after(self, after: int) -> tuple[Arrival, ...]:
        if after not in self._images:
            self._images[after] = watch_arrivals.images_after(self._session, after, _AT_ONCE)
        return self._images[after]

    def _embeddings_after(self, after: int) -> EmbeddingBatch:
        if after not in self._embeddings:
            self._embeddings[after] = embeddings.since(self._session, self._fingerprint, after, _AT_ONCE)
        return self._embeddings[after]
