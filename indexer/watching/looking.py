"""Looking at what came into the catalogue since each watch was last looked at.

What is found, and how far a watch was looked at, is written in one transaction: killed at any moment, nothing is lost
and nothing is reported twice.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from indexer.catalog import embeddings, watch_arrivals, watch_events
from indexer.catalog.database import Catalog
from indexer.catalog.records import EmbeddingBatch
from indexer.catalog.watch_records import Arrival, LookingWatch, NewWatchEvent, WatchedPicture
from indexer.relations import Thresholds
from indexer.watching.matching import filter_event, member_event, nearby, picture_event
from indexer.workspace import Workspace

_AT_ONCE = 256
"""Images, embeddings or members that each watch looks at in one transaction."""


@dataclass(frozen=True, slots=True)
class Alerts:
    """How many images were reported, by how many watches."""

    alerts: int
    watches: int


class Lookout:
    """Looks for what all watches of a catalogue wait for. Several processes may do so at once.

    Args:
        catalog: where watches, images and embeddings are.
        fingerprint: of the detector in use; likeness is looked for by watches made with that one only.
        thresholds: what counts as the same picture and the same origin now.
    """

    def __init__(self, catalog: Catalog, fingerprint: str, thresholds: Callable[[], Thresholds]) -> None:
        self._catalog = catalog
        self._fingerprint = fingerprint
        self._thresholds = thresholds

    @classmethod
    def of(cls, workspace: Workspace) -> "Lookout":
        """On the catalogue of an installation."""
        return cls(workspace.catalog, workspace.resolved.fingerprint, workspace.searcher.thresholds)

    def look(self, now: datetime, stopping: Callable[[], bool] = lambda: False) -> Alerts:
        """Looks at everything that has come, or until `stopping`; what is left is looked at the next time.

        Raises:
            CatalogError: the catalogue cannot be read or written. What was found before is safe.
        """
        found: Counter[str] = Counter()
        while not stopping():
            with self._catalog.reading() as session:
                if not watch_arrivals.anything(session, self._fingerprint):
                    break
            thresholds = self._thresholds()
            with self._catalog.writing() as session:
                found += _Look(session, self._fingerprint, thresholds, now).all_watches()
        return Alerts(found.total(), len(found))


class _Look:
    """One transaction's worth of looking; what several watches look at is read once."""

    def __init__(self, session: Session, fingerprint: str, thresholds: Thresholds, now: datetime) -> None:
        self._session = session
        self._fingerprint = fingerprint
        self._thresholds = thresholds
        self._now = now
        self._images: dict[int, tuple[Arrival, ...]] = {}
        self._embeddings: dict[int, EmbeddingBatch] = {}

    def all_watches(self) -> Counter[str]:
        """How many images each watch reports."""
        found: Counter[str] = Counter()
        for watch in watch_arrivals.looking(self._session):
            if watch.campaign is not None:
                events = [member_event(one) for one in watch_arrivals.join(self._session, watch.id, _AT_ONCE)]
            else:
                events = self._new_images(watch)
            new = watch_events.record(self._session, watch.id, events, self._now)
            if new:
                found[watch.id] = new
        return found

    def _new_images(self, watch: LookingWatch) -> list[NewWatchEvent]:
        came = self._images_after(watch.image_after)
        seen, embedded = (came[-1].id if came else watch.image_after), watch.embedding_after
        if watch.filter is not None:
            met = watch_arrivals.meeting(self._session, watch.filter, [one.id for one in came])
            events = [filter_event(one) for one in met]
        elif watch.picture is None:
            raise AssertionError("a watch is of a picture, a campaign or a filter")
        else:
            events = self._same_pictures(watch.picture, came)
            if watch.picture.fingerprint == self._fingerprint:
                batch = self._embeddings_after(embedded)
                embedded = int(batch.embedding_ids[-1]) if len(batch.embedding_ids) else embedded
                events += self._same_origin(watch.picture, batch, watch.began_after)
        if (seen, embedded) != (watch.image_after, watch.embedding_after):
            watch_arrivals.advance(self._session, watch.id, image_after=seen, embedding_after=embedded)
        return events

    def _same_pictures(self, picture: WatchedPicture, came: tuple[Arrival, ...]) -> list[NewWatchEvent]:
        near = nearby(picture, came, self._thresholds.max_distance)
        vectors = {}
        if near and picture.fingerprint is not None:
            vectors = embeddings.vectors(self._session, picture.fingerprint, [one.id for one in near])
        reports = (picture_event(picture, one, vectors.get(one.id), self._thresholds) for one in near)
        return [one for one in reports if one is not None]

    def _same_origin(self, picture: WatchedPicture, batch: EmbeddingBatch, began_after: int) -> list[NewWatchEvent]:
        smallest = self._thresholds.min_cosine
        if picture.vector is None or smallest is None or not self._thresholds.trained or not len(batch.image_ids):
            return []
        like = (batch.vectors @ picture.vector >= smallest - 1e-5) & (batch.image_ids > began_after)
        vectors = dict(zip(batch.image_ids[like].tolist(), batch.vectors[like], strict=True))
        came = watch_arrivals.images(self._session, vectors)
        reports = (picture_event(picture, one, vectors[one.id], self._thresholds) for one in came)
        return [one for one in reports if one is not None]

    def _images_after(self, after: int) -> tuple[Arrival, ...]:
        if after not in self._images:
            self._images[after] = watch_arrivals.images_after(self._session, after, _AT_ONCE)
        return self._images[after]

    def _embeddings_after(self, after: int) -> EmbeddingBatch:
        if after not in self._embeddings:
            self._embeddings[after] = embeddings.since(self._session, self._fingerprint, after, _AT_ONCE)
        return self._embeddings[after]
