"""Labelled pictures with what one detector says of them: from the catalogue, or from a manifest, folder or archive."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from indexer.catalog import collections
from indexer.catalog import labelled as stored
from indexer.catalog.labelled import LabelledImage
from indexer.catalog.records import ImageFilter
from indexer.detector.spec import EMBEDDING_SIZE, Head
from indexer.errors import NotFoundError, UsageError
from indexer.evaluation.pictures import Pictures, SourcePictures, StoredPictures
from indexer.evaluation.reading import read_labelled
from indexer.imaging.limits import ImageLimits
from indexer.vocabulary import Technique
from indexer.workspace import Workspace

Floats = npt.NDArray[np.float32]
Progress: TypeAlias = Callable[[int, int | None], None]
"""Hears how many pictures are done, and of how many if that is known."""

CATALOGUE = "catalogue"
COLLECTION = "collection:"


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Pictures whose class is known, with what one detector says of them; only fake and authentic, undisputed ones.

    In the order of their SHA-256, each once. Labels that only a model stated are left out: a detector is not judged by
    another's guesses.

    Attributes:
        name: "collection NAME", "the catalogue", or the file name of the manifest, folder or archive.
        fingerprint: of the detector.
        sha256: N digests.
        fake: [N].
        logits: [N, C].
        p_fake: [N] in [0, 1], from the logits by the detector's head; says nothing when the detector is not trained.
        embeddings: [N, 384], L2-normalised.
        generators, techniques: N each, of fakes; None and `unknown` where nobody stated them.
        groups: N, what a picture was made from (a manifest's column `group`); None when nobody said.
        sizes: [N, 2] width and height in pixels, upright.
        skipped: reason -> how many pictures were left out for it.
    """

    name: str
    fingerprint: str
    sha256: tuple[str, ...]
    fake: npt.NDArray[np.bool_]
    logits: Floats
    p_fake: Floats
    embeddings: Floats
    generators: tuple[str | None, ...]
    techniques: tuple[Technique, ...]
    groups: tuple[str | None, ...]
    sizes: npt.NDArray[np.int32]
    skipped: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.sha256)

    def subset(self, mask: npt.NDArray[Any]) -> "LabelledSet":
        """The pictures that a mask [N] of booleans, or an array of their numbers, chooses; `skipped` stays."""
        chosen = np.arange(len(self))[mask]
        return LabelledSet(
            name=self.name,
            fingerprint=self.fingerprint,
            sha256=tuple(self.sha256[i] for i in chosen),
            fake=self.fake[chosen],
            logits=self.logits[chosen],
            p_fake=self.p_fake[chosen],
            embeddings=self.embeddings[chosen],
            generators=tuple(self.generators[i] for i in chosen),
            techniques=tuple(self.techniques[i] for i in chosen),
            groups=tuple(self.groups[i] for i in chosen),
            sizes=self.sizes[chosen],
            skipped=self.skipped,
        )


def labelled_set(workspace: Workspace, what: str, *, progress: Progress | None = None) -> LabelledSet:
    """The labelled pictures of `what`.

    Args:
        workspace: an open installation; its detector is the one judged.
        what: `collection:NAME` or `catalogue` (all labelled images): labels and embeddings as stored, nothing is
            computed. Anything else is the path of a manifest, folder or archive, whose pictures are run through
            `workspace.detector()`; nothing is stored.
        progress: hears of pictures done.

    Raises:
        NotFoundError: there is no collection of this name.
        SourceError: there is no such path, or it cannot be read.
        UsageError: there is not one labelled picture in it.
    """
    return labelled_pictures(workspace, what, progress=progress)[0]


def labelled_pictures(
    workspace: Workspace, what: str, *, progress: Progress | None = None
) -> tuple[LabelledSet, Pictures]:
    """As `labelled_set`, with where the pixels are found."""
    limits = ImageLimits.from_settings(workspace.settings)
    if what == CATALOGUE or what.startswith(COLLECTION):
        return _from_catalogue(workspace, what, progress), StoredPictures(workspace.originals, limits)
    path = Path(what)
    read = read_labelled(workspace, path, progress or _nobody)
    name = path.name or path.resolve().name
    made = _labelled_set(name, workspace, [picture.image for picture in read.pictures], read.skipped)
    return made, SourcePictures({picture.image.sha256: picture.read for picture in read.pictures}, limits, read.spool)


def _from_catalogue(workspace: Workspace, what: str, progress: Progress | None) -> LabelledSet:
    fingerprint = workspace.resolved.fingerprint
    tell = progress or _nobody
    found: list[LabelledImage] = []
    with workspace.catalog.reading() as session:
        name, wanted = "the catalogue", ImageFilter()
        if what != CATALOGUE:
            collection = what.removeprefix(COLLECTION)
            if collections.get(session, collection) is None:
                known = ", ".join(one.name for one in collections.page(session, limit=10).items) or "none yet"
                raise NotFoundError(f"there is no collection named {collection!r}; there are: {known}")
            name, wanted = f"collection {collection}", ImageFilter(collections=(collection,))
        for image in stored.labelled(session, wanted, fingerprint):
            found.append(image)
            tell(len(found), None)
        skipped = stored.left_out(session, wanted, fingerprint)
    return _labelled_set(name, workspace, found, skipped)


def _labelled_set(
    name: str, workspace: Workspace, images: Sequence[LabelledImage], skipped: Mapping[str, int]
) -> LabelledSet:
    if not images:
        reasons = "; ".join(f"{count} left out: {reason}" for reason, count in skipped.items())
        raise UsageError(
            f"{name} has no picture labelled fake or authentic that {workspace.resolved.spec.name} has seen"
            f"{f' ({reasons})' if reasons else ''}: give labels (a manifest's column `label`, folders `fake` and "
            "`real`, `dejafake label`), and ingest again after changing the detector"
        )
    spec = workspace.resolved.spec
    ordered = sorted(images, key=lambda image: image.sha256)
    logits = np.array([image.logits for image in ordered], np.float32).reshape(len(ordered), len(spec.head.classes))
    return LabelledSet(
        name=name,
        fingerprint=workspace.resolved.fingerprint,
        sha256=tuple(image.sha256 for image in ordered),
        fake=np.array([image.fake for image in ordered], np.bool_),
        logits=logits,
        p_fake=p_fake(logits, spec.head),
        embeddings=np.array([image.vector for image in ordered], np.float32).reshape(-1, EMBEDDING_SIZE),
        generators=tuple(image.generator for image in ordered),
        techniques=tuple(image.technique for image in ordered),
        groups=tuple(image.group for image in ordered),
        sizes=np.array([(image.width, image.height) for image in ordered], np.int32).reshape(-1, 2),
        skipped=dict(skipped),
    )


def p_fake(logits: Floats, head: Head) -> Floats:
    """What a head makes of logits [N, C]: p(fake) [N]."""
    wide = logits.astype(np.float64)
    chance = expit(wide[:, 0]) if head.kind == "sigmoid" else softmax(wide, axis=1)[:, head.fake_index]
    return np.asarray(chance, np.float32)


def _nobody(done: int, total: int | None) -> None:
    """Hears of progress nobody asked for."""
