"""The PDQ hashes of external hash lists, kept in step with the catalogue."""

import numpy as np
from sqlalchemy.orm import Session

from indexer.catalog import hash_lists
from indexer.imaging.degenerate import saying_nothing
from indexer.index.vectors import HashStore
from indexer.vocabulary import LabelValue

ROWS_AT_ONCE = 8_192
_UNUSABLE = -1


class ListedHashes:
    """A hash store of the listed PDQ hashes of a catalogue, by entry id. Threads may share it: a search takes `store`
    once and uses it to the end.
    """

    def __init__(self, *, threads: int) -> None:
        """`threads`: as for HashStore."""
        self._threads = threads
        self._lists: frozenset[int] = frozenset()
        self._change_id = -1
        self.store = self._empty()
        self.any_fake = False
        """Whether a list is of known fakes and holds something."""

    @property
    def any(self) -> bool:
        """Whether there are lists."""
        return bool(self._lists)

    def follow(self, session: Session, change_id: int) -> None:
        """Catch up with the catalogue as of `session`, whose change counter is `change_id`; sends no query if it has
        not changed since the last call.
        """
        if change_id == self._change_id:
            return
        lists, newest = hash_lists.newest(session)
        # hashes of a deleted list are scattered among the others: reread everything
        store = self.store if self._lists <= lists else self._empty()
        after = store.watermark
        while after < newest:
            batch = hash_lists.pdq_since(session, after, ROWS_AT_ONCE)
            says_something = ~saying_nothing(batch.hashes)
            store.add(batch.image_ids, batch.hashes, np.where(says_something, batch.qualities, _UNUSABLE))
            after = int(batch.image_ids[-1]) if len(batch.image_ids) == ROWS_AT_ONCE else newest
        self.any_fake = bool(lists) and hash_lists.any_of(session, LabelValue.FAKE)
        self.store, self._lists, self._change_id = store, lists, change_id

    def _empty(self) -> HashStore:
        return HashStore(0, threads=self._threads)
