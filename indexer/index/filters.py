"""Cache of which images meet a filter, valid until some process changes data that filters depend on."""

from threading import Lock

from indexer.catalog.database import Catalog
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.index.vectors import Allowed

KEPT = 32
EVERYTHING = ImageFilter()


class FilterCache:
    """The ids of the images that meet a filter. Threads may share it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = Lock()
        self._kept: dict[ImageFilter, Allowed] = {}
        self._as_of = 0

    def allowed(self, image_filter: ImageFilter | None, filters_id: int) -> Allowed | None:
        """The images that meet a filter, None when all do.

        Args:
            image_filter: None for all.
            filters_id: the catalogue's counter of changes relevant to filters, as known to the caller. Cached results
                are read again when it is higher; a result may be newer than this.
        """
        if image_filter is None or image_filter == EVERYTHING:
            return None
        with self._lock:
            self._forget_before(filters_id)
            kept = self._kept.get(image_filter)
        if kept is not None:
            return kept
        with self._catalog.reading() as session:
            allowed = Allowed(images.matching_ids(session, image_filter))
        with self._lock:
            if (
                self._as_of == filters_id
            ):  # otherwise it may have been read before a change that another caller knows of
                if len(self._kept) >= KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[image_filter] = allowed
        return allowed

    def _forget_before(self, filters_id: int) -> None:
        if filters_id > self._as_of:
            self._kept.clear()
            self._as_of = filters_id
