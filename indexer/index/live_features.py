"""A store of the local features of a catalogue's images that follows it."""

import logging
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy.orm import Session

from indexer.catalog import changes
from indexer.catalog.copies import local_features
from indexer.catalog.database import Catalog
from indexer.catalog.records.detections import Watermarks
from indexer.copies.features.packing import packed_codes
from indexer.errors import UsageError
from indexer.index.catching_up import SAMPLE, follow_tombstones
from indexer.index.features import FeatureFolder, FeatureStore, PackedBlock, digest_of
from indexer.index.live_part import LivePart
from indexer.settings import Settings

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 4_096
_FOLDER = "features"


class LiveFeatures(LivePart[FeatureStore]):
    """The local features by the method `fingerprint`."""

    def __init__(
        self,
        fingerprint: str,
        catalog: Catalog,
        settings: Settings,
        pause: Callable[[], None],
        publish: Callable[[LivePart[FeatureStore], FeatureStore], None],
    ) -> None:
        self.fingerprint = fingerprint
        self.folder = FeatureFolder(settings.index_dir / _FOLDER / fingerprint, fingerprint)
        super().__init__(self.folder, catalog, settings.tail_merge_at, pause, publish)
        self._threads = settings.threads

    def catch_up(self, session: Session, store: FeatureStore, marks: Watermarks) -> None:
        """As `LivePart.catch_up`."""
        newest = local_features.newest_id(session, self.fingerprint)
        while store.watermark < newest:
            batch = local_features.since(session, self.fingerprint, store.watermark, ROWS_AT_ONCE)
            read_to = int(batch.feature_ids[-1]) if len(batch.feature_ids) else newest
            store.add(batch.image_ids, _readable(batch.codes), read_to)
        follow_tombstones(session, store, marks)

    def disagreement(self, session: Session, store: FeatureStore) -> str | None:
        """As `LivePart.disagreement`. Compares a sample by digest."""
        sample = store.sample(SAMPLE)
        truth = local_features.of(session, self.fingerprint, sample)
        for image_id, digest in sample.items():
            if image_id not in truth or digest_of(truth[image_id]) != digest:
                return f"the index holds other local features of image {image_id} than the catalogue"
        return None

    def catalogue_count(self, session: Session) -> int:
        """As `LivePart.catalogue_count`."""
        return local_features.count(session, self.fingerprint)

    def _open(self) -> FeatureStore:
        return FeatureStore.open(self.folder, threads=self._threads)

    def _empty(self) -> FeatureStore:
        return FeatureStore(self.folder, None, threads=self._threads)

    def _write(self, store: FeatureStore) -> None:
        store.write_snapshot(self._pause)

    def _write_from_catalogue(self) -> None:
        with self._catalog.reading() as session:
            newest = local_features.newest_id(session, self.fingerprint)
            tombstone = changes.newest_tombstone(session)
        self.folder.write(self._blocks(newest), newest, tombstone, self._pause)

    def _blocks(self, up_to: int) -> Iterator[PackedBlock]:
        """All features up to a row id, each block read in a transaction of its own."""
        after = 0
        while after < up_to:
            with self._catalog.reading() as session:
                batch = local_features.since(session, self.fingerprint, after, ROWS_AT_ONCE)
            if not len(batch.feature_ids):
                return
            rows = int((batch.feature_ids <= up_to).sum())
            yield PackedBlock(batch.image_ids[:rows], _readable(batch.codes[:rows]))
            after = int(batch.feature_ids[-1])


def _readable(codes: Sequence[bytes]) -> list[bytes]:
    """The packed features with nothing in place of those that are damaged, so that one does not stop the rest."""
    readable: list[bytes] = []
    for code in codes:
        try:
            packed_codes(code)
            readable.append(code)
        except UsageError as error:
            logger.warning("%s", error)
            readable.append(b"")
    return readable
