"""The known pictures: ingested by the product, decoded again for its peers, and which of them are the same picture."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.copying.peers import PdqAlone
from indexer.arrays import Floats
from indexer.catalog.images import images
from indexer.cli.output import progress
from indexer.errors import DejafakeError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.ingest.report import IngestOptions, ItemOutcome
from indexer.sources import SourceItem, open_source
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace

SAME_BITS, SAME_COSINE = 31, 0.85
"""PDQ bits up to which, and cosines of SSCD from which, two known pictures count as one."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known, in the order of `sha256s`: `hashes` [N, 32] uint8 and whether their quality is enough."""

    sha256s: tuple[str, ...]
    hashes: npt.NDArray[np.uint8]
    readable: npt.NDArray[np.bool_]
    min_quality: int

    def pdq(self) -> PdqAlone:
        """The peer that compares PDQ hashes."""
        return PdqAlone(self.hashes, self.readable, self.min_quality)

    def same(self, vectors: Floats | None) -> tuple[frozenset[int], ...]:
        """For each known picture those that are the same, itself among them, by hash and, where there are `vectors`
        [N, D], by embedding."""
        found = []
        for number in range(len(self.sha256s)):
            bits = np.bitwise_count(self.hashes ^ self.hashes[number]).sum(axis=1)
            own = {number, *np.flatnonzero((bits <= SAME_BITS) & self.readable & self.readable[number]).tolist()}
            if vectors is not None:
                own |= set(np.flatnonzero(vectors @ vectors[number] >= SAME_COSINE).tolist())
            found.append(frozenset(own))
        return tuple(found)


class Pictures:
    """Originals of the catalogue by SHA-256."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._limits = ImageLimits.from_settings(workspace.settings)

    def file(self, sha256: str) -> bytes:
        """The bytes that were ingested."""
        data = self._workspace.originals.get(sha256)
        if data is None:
            raise DejafakeError(f"the original {sha256} is not kept here: use an empty --work folder")
        return data

    def decoded(self, sha256: str) -> Image.Image:
        """The upright picture, RGB."""
        return decode(self.file(sha256), self._limits).rgb


def ingest(workspace: Workspace, paths: Sequence[Path], every: int) -> tuple[str, ...]:
    """Ingests each (1) or each second (2) picture of manifests, folders or archives, or so on; what has no label
    counts as fake. Gives the SHA-256 of those that were taken."""
    limits = ImageLimits.from_settings(workspace.settings)
    taken: dict[str, None] = {}
    for path in paths:
        source = open_source(path, limits)
        with progress(f"ingest {path.name}", _count(source.count(), every)) as advance:

            def observe(outcome: ItemOutcome) -> None:
                if outcome.sha256 is not None:
                    taken[outcome.sha256] = None
                advance(1)

            run = workspace.ingest(IngestOptions(label=LabelValue.FAKE, list_rejected=False))
            run.run(islice(source, 0, None, every), observe)
    return tuple(taken)


def _count(pictures: int | None, every: int) -> int | None:
    return None if pictures is None else -(-pictures // every)


def known(workspace: Workspace, sha256s: Iterable[str]) -> Known:
    """Those of the catalogue's pictures."""
    with workspace.catalog.reading() as session:
        ids = images.find_ids(session, sorted(set(sha256s)))
        records = images.details(session, list(ids.values()))
    found = sorted((one.image for one in records.values()), key=lambda image: image.sha256)
    quality = workspace.settings.pdq_min_quality
    return Known(
        sha256s=tuple(image.sha256 for image in found),
        hashes=np.stack([np.frombuffer(bytes.fromhex(image.pdq), np.uint8) for image in found]),
        readable=np.array([image.pdq_quality >= quality for image in found]),
        min_quality=quality,
    )


def read_pictures(paths: Sequence[Path], limits: ImageLimits) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each picture that can be decoded."""
    for path in paths:
        for item in open_source(path, limits):
            if not isinstance(item, SourceItem):
                continue
            data = item.read()
            try:
                decode(data, limits)
            except DejafakeError:
                continue
            yield item.location, data
