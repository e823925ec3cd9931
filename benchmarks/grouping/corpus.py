"""Real pictures to group: the fakes of a manifest, each with five altered copies, their embeddings and PDQ links."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.grouping.scores import Labels
from benchmarks.made_up.campaigns import Vectors
from indexer.campaigns.grouping.copies import copies_among
from indexer.campaigns.grouping.graph import Links, links
from indexer.cli.output import progress
from indexer.errors import DejafakeError
from indexer.imaging.alterations import apply
from indexer.imaging.decoding import decode
from indexer.imaging.hashing import pdq_hash
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.sources import SourceItem, SourceRejection, open_source
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace

ALTERED = ("jpeg50", "downscale60", "crop5", "caption_bar", "colour_shift")
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Corpus:
    """N pictures: `vectors` [N, 384], `hashes` [N, 32], `comparable` [N] of sufficient PDQ quality. `truths` by name:
    `picture`, and `group` and `generator` where the manifest names them, each [N]. `altered` [N]: copies."""

    vectors: Vectors
    hashes: npt.NDArray[np.uint8]
    comparable: npt.NDArray[np.bool_]
    altered: npt.NDArray[np.bool_]
    truths: Mapping[str, Labels]
    detector: str
    min_cosine: float
    max_bits: int

    @property
    def originals(self) -> "Corpus":
        """The pictures without their copies; there only what the manifest names is a truth."""
        kept = ~self.altered
        return Corpus(
            vectors=self.vectors[kept],
            hashes=self.hashes[kept],
            comparable=self.comparable[kept],
            altered=self.altered[kept],
            truths={name: truth[kept] for name, truth in self.truths.items() if name != "picture"},
            detector=self.detector,
            min_cosine=self.min_cosine,
            max_bits=self.max_bits,
        )

    @property
    def copies(self) -> Links:
        """Links between copies of one picture."""
        rows = np.flatnonzero(self.comparable)
        pairs = copies_among(np.ascontiguousarray(self.hashes[rows]), self.max_bits, 1)
        return links(rows[pairs.first], rows[pairs.second], pairs.distance, pairs.kind)


@dataclass(frozen=True, slots=True)
class _Picture:
    data: bytes
    picture: int
    group: str
    generator: str
    alteration: str | None


def read_corpus(manifest: Path) -> Corpus:
    """Reads the fakes, alters them and detects all.

    Raises:
        DejafakeError: it cannot be read, or holds no fakes.
    """
    with tempfile.TemporaryDirectory() as home:
        settings = Settings.load(home=Path(home), keep_originals=False)
        limits = ImageLimits.from_settings(settings)
        fakes = [item for item in open_source(manifest, limits) if _is_fake(item)]
        if not fakes:
            raise DejafakeError(f"{manifest} holds no known fakes: nothing can be grouped")
        with Workspace(settings) as workspace:
            return _corpus(workspace, fakes, limits)


def _is_fake(item: SourceItem | SourceRejection) -> bool:
    return not isinstance(item, SourceRejection) and item.value is LabelValue.FAKE


def _corpus(workspace: Workspace, fakes: list[SourceItem], limits: ImageLimits) -> Corpus:
    vectors, hashes, origins = [], [], []
    with progress("detect", len(fakes) * (1 + len(ALTERED))) as advance:
        every = _with_copies(fakes, limits)
        while block := list(islice(every, _AT_ONCE)):
            pictures = [decode(picture.data, limits).rgb for picture in block]
            vectors.append(workspace.detector().detect(pictures).embeddings)
            hashes += [pdq_hash(rgb) for rgb in pictures]
            origins += [(picture.picture, picture.group, picture.generator, picture.alteration) for picture in block]
            advance(len(block))
    spec, settings = workspace.resolved.spec, workspace.settings
    picture, group, generator, alteration = zip(*origins, strict=True)
    truths = {"picture": np.array(picture, np.int64)}
    for name, values in (("group", group), ("generator", generator)):
        if any(values):
            truths[name] = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return Corpus(
        vectors=np.concatenate(vectors),
        hashes=np.frombuffer(b"".join(picture.bits for picture in hashes), np.uint8).reshape(-1, 32),
        comparable=np.array([picture.quality >= settings.pdq_min_quality for picture in hashes]),
        altered=np.array([name is not None for name in alteration]),
        truths=truths,
        detector=spec.name,
        min_cosine=spec.same_origin_min_cosine,
        max_bits=settings.same_picture_max_distance,
    )


def _with_copies(fakes: list[SourceItem], limits: ImageLimits) -> Iterator[_Picture]:
    for number, item in enumerate(fakes):
        data = item.read()
        rgb = decode(data, limits).rgb
        for alteration in (None, *ALTERED):
            changed = data if alteration is None else apply(alteration, rgb)
            yield _Picture(changed, number, item.fields.get("group", ""), item.generator or "", alteration)
