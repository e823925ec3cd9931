"""The PDQ hashes of other people's lists, kept level with the catalogue."""

from sqlalchemy.orm import Session

from indexer.catalog import hash_lists
from indexer.vectors import HashStore

ROWS_AT_ONCE = 8_192


class ListedHashes:
    """A hash store over the listed PDQ hashes of a catalogue, by the id of the entry. Threads may share it: whoever
    searches takes `store` once and uses it to the end."""

    def __init__(self, *, threads: int) -> None:
        """`threads`: as of a HashStore."""
        self._threads = threads
        self._lists: frozenset[int] = frozenset()
        self._change_id = -1
        self.store = self._empty()

    @property
    def any(self) -> bool:
        """Whether there are lists."""
        return bool(self._lists)

    def follow(self, session: Session, change_id: int) -> None:
        """Catch up with the catalogue as of `session`, whose change counter stands at `change_id`; asks nothing when
        that is the one of the last time."""
        if change_id == self._change_id:
            return
        lists, newest = hash_lists.newest(session)
        # hashes of a list that was deleted lie somewhere among the others: read all anew
        store = self.store if self._lists <= lists else self._empty()
        after = store.watermark
        while after < newest:
            batch = hash_lists.pdq_since(session, after, ROWS_AT_ONCE)
            store.add(batch.image_ids, batch.hashes, batch.qualities)
            after = int(batch.image_ids[-1]) if len(batch.image_ids) == ROWS_AT_ONCE else newest
        self.store, self._lists, self._change_id = store, lists, change_id

    def _empty(self) -> HashStore:
        return HashStore(0, threads=self._threads)
