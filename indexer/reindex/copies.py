"""Giving the images of a catalogue what copies are found by: an embedding by the copy descriptor, and local features,
from their kept originals, else their thumbnails.

A batch is one transaction, and an image that is done is not looked at again: a run that was killed is finished by the
next. Searches go on meanwhile, and find what is done.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

import numpy as np

from indexer.arrays import Floats, Vector, Vectors
from indexer.catalog.copies import coverage, descriptors, local_features
from indexer.catalog.copies import embeddings as copy_embeddings
from indexer.catalog.copies.coverage import LackingImage
from indexer.catalog.images import images
from indexer.copies.features import FEATURES_FINGERPRINT
from indexer.errors import ImageRejectedError, OriginalChangedError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.ingest.preparing import Describer
from indexer.reindex.only_one import only_one
from indexer.threads.ahead import prepared_ahead
from indexer.workspace import Workspace

_PAGE = 512
"""Images asked of the catalogue at a time."""
_LEAST_BATCH = 32


@dataclass(frozen=True, slots=True)
class CopiesReport:
    """What a run did, in images: `embeddings_added`, `features_added` (also of pictures that have too little in them),
    and those `skipped` by reason (`no_picture`: neither original nor thumbnail is kept); `changed`: SHA-256 of those
    whose kept original is not what was kept; `remaining` lack something after it. `seconds` is wall time."""

    embeddings_added: int
    features_added: int
    skipped: Mapping[str, int]
    changed: tuple[str, ...]
    remaining: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """What became of one image: `skipped` says why there is nothing; `view` [3, S, S] is for the descriptor."""

    image: LackingImage
    skipped: str | None = None
    view: Floats | None = None
    features: bytes | None = None


class PrepareCopies:
    """A run over one installation.

    Args:
        workspace: the installation.
        descriptor: whose embeddings are taken; None for none.
        describe: makes its passes in place of its own `run`; called in the calling thread only.
        features: whether local features are taken.
    """

    def __init__(
        self,
        workspace: Workspace,
        descriptor: Describer | None,
        describe: Callable[[Floats], Vectors | None] | None = None,
        *,
        features: bool = True,
    ) -> None:
        self._catalog = workspace.catalog
        self._originals = workspace.originals
        self._thumbnails = workspace.thumbnails
        self._settings = workspace.settings
        self._limits = ImageLimits.from_settings(workspace.settings)
        self._descriptor = descriptor
        self._describe = describe or (None if descriptor is None else descriptor.run)
        self._fingerprint = None if descriptor is None else descriptor.fingerprint
        self._features = FEATURES_FINGERPRINT if features else None

    def count(self) -> int:
        """How many images lack something."""
        with self._catalog.reading() as session:
            return coverage.count_lacking(session, self._fingerprint, self._features)

    def run(self, observe: Callable[[int], None] = lambda _: None) -> CopiesReport:
        """Takes what images lack, also those that are ingested meanwhile.

        Args:
            observe: hears how many images were just settled: done for good, or skipped.

        Raises:
            ConflictError: another run is under way in this home folder.
            CatalogError: the catalogue cannot be written. What was observed before is safe.
        """
        started = perf_counter()
        described = featured = 0
        skipped: Counter[str] = Counter()
        changed: list[str] = []
        workers, most = self._settings.decode_workers, max(_LEAST_BATCH, self._settings.batch_size)
        with only_one(self._catalog, self._settings.home / "copies.lock", "dejafake copies prepare"):
            descriptor_id = self._register()
            taken = prepared_ahead(self._take, self._lacking(), workers=workers, window=workers + most)
            while batch := list(islice(taken, most)):
                added = self._store(descriptor_id, batch)
                described, featured = described + added[0], featured + added[1]
                skipped.update(item.skipped for item in batch if item.skipped is not None)
                changed += [item.image.sha256 for item in batch if item.skipped == "changed_original"]
                observe(len(batch))
        return CopiesReport(
            embeddings_added=described,
            features_added=featured,
            skipped=dict(sorted(skipped.items())),
            changed=tuple(sorted(changed)),
            remaining=self.count(),
            seconds=perf_counter() - started,
        )

    def _register(self) -> int | None:
        of = self._descriptor
        if of is None:
            return None
        with self._catalog.writing() as session:
            return descriptors.register(session, of.spec.name, of.fingerprint, of.spec.dimension, of.spec.as_json())

    def _lacking(self) -> Iterator[LackingImage]:
        after = 0
        while True:
            with self._catalog.reading() as session:
                page = coverage.lacking(session, self._fingerprint, self._features, after=after, limit=_PAGE)
            if not page:
                return
            for image in page:
                after = image.image_id
                yield image

    def _take(self, image: LackingImage) -> _Taken:
        try:
            data = self._originals.get(image.sha256) or self._thumbnails.get(image.sha256)
            if data is None:
                return _Taken(image, "no_picture")
            rgb = decode(data, self._limits).rgb
        except OriginalChangedError:
            return _Taken(image, "changed_original")
        except ImageRejectedError as error:  # kept before the limits were narrowed, or damaged since
            return _Taken(image, error.reason)
        except OSError:
            return _Taken(image, "unreadable")
        view = self._descriptor.prepare(rgb) if self._descriptor is not None and image.undescribed else None
        if not image.unfeatured:
            return _Taken(image, view=view)
        from indexer.copies.features.taking import packed_features  # loads OpenCV

        return _Taken(image, view=view, features=packed_features(rgb, image.content, image.size))

    def _store(self, descriptor_id: int | None, batch: list[_Taken]) -> tuple[int, int]:
        """Writes a batch in one transaction; returns how many embeddings and features are new. An image that was
        deleted meanwhile is left out."""
        vectors = self._embedded([item for item in batch if item.view is not None])
        features = {item.image.image_id: item.features for item in batch if item.features is not None}
        if not vectors and not features:
            return 0, 0
        with self._catalog.writing() as session:
            there = set(images.find_ids(session, [item.image.sha256 for item in batch]).values())
            described = featured = 0
            if descriptor_id is not None:
                kept = [(image_id, vector) for image_id, vector in vectors.items() if image_id in there]
                described = copy_embeddings.add(session, descriptor_id, kept)
            if self._features is not None:
                taken = [(image_id, codes) for image_id, codes in features.items() if image_id in there]
                featured = local_features.add(session, self._features, taken)
            return described, featured

    def _embedded(self, batch: list[_Taken]) -> dict[int, Vector]:
        if not batch or self._describe is None:
            return {}
        rows = self._describe(np.stack([item.view for item in batch if item.view is not None]))
        if rows is None:  # it could not be loaded after all
            return {}
        pairs = zip(batch, rows, strict=True)
        return {item.image.image_id: vector for item, vector in pairs if vector.any()}  # flat ones may give only zeros
