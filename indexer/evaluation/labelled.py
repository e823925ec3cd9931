"""Labelled pictures with one detector's outputs: from the catalogue, or from a manifest, folder or archive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from indexer.arrays import Floats
from indexer.catalog.images import collections
from indexer.catalog.images import labelled as stored
from indexer.catalog.images.labelled import LabelledImage
from indexer.catalog.records.filters import ImageFilter
from indexer.detector.spec import Head
from indexer.errors import NotFoundError, UsageError
from indexer.evaluation.pictures import Pictures, SourcePictures, StoredPictures
from indexer.evaluation.reading import read_labelled
from indexer.imaging.limits import ImageLimits
from indexer.sources.label_words import TABLE_ONLY, LabelWords, WordCount
from indexer.vocabulary import EMBEDDING_SIZE, Progress, Technique, no_progress
from indexer.workspace import Workspace

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
        label_words: the words that stood for labels and as what each was understood; of the catalogue none.
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
    label_words: tuple[WordCount, ...] = ()

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
            label_words=self.label_words,
        )


def labelled_set(
    workspace: Workspace,
    what: str,
    *,
    words: LabelWords = TABLE_ONLY,
    roots: Sequence[Path] = (),
    progress: Progress = no_progress,
) -> LabelledSet:
    """The labelled pictures of `what`.

    Args:
        workspace: an open installation; its detector is the one judged.
        what: `collection:NAME` or `catalogue` (all labelled images): labels and embeddings as stored, nothing is
            computed. Anything else is the path of a manifest, folder or archive, whose pictures are run through
            `workspace.detector()`; nothing is stored.
        words: what words for labels mean, before the table of words.
        roots: folders that paths in a manifest may lead into, beside its own.
        progress: hears of the step "pictures".

    Raises:
        NotFoundError: there is no collection of this name.
        SourceError: there is no such path, or it cannot be read.
        UsageError: there is not one labelled picture in it, or words were given for the catalogue.
    """
    return labelled_pictures(workspace, what, words=words, roots=roots, progress=progress)[0]


def labelled_pictures(
    workspace: Workspace,
    what: str,
    *,
    words: LabelWords = TABLE_ONLY,
    roots: Sequence[Path] = (),
    progress: Progress = no_progress,
) -> tuple[LabelledSet, Pictures]:
    """As `labelled`, with where the pixels are found."""
    limits = ImageLimits.from_settings(workspace.settings)
    if what == CATALOGUE or what.startswith(COLLECTION):
        if words.by_hand:
            raise UsageError("--map-label is for words in manifests and names of folders: the catalogue holds labels")
        return _from_catalogue(workspace, what, progress), StoredPictures(workspace.originals, limits)
    path = Path(what)
    read = read_labelled(workspace, path, progress, words, roots)
    name = path.name or path.resolve().name
    labelled = _labelled_set(
        name, workspace, [picture.image for picture in read.pictures], read.skipped, read.label_words
    )
    return labelled, SourcePictures(
        {picture.image.sha256: picture.read for picture in read.pictures}, limits, read.spool
    )


def _from_catalogue(workspace: Workspace, what: str, progress: Progress) -> LabelledSet:
    fingerprint = workspace.resolved.fingerprint
    labelled_images: list[LabelledImage] = []
    with workspace.catalog.reading() as session:
        name, image_filter = "the catalogue", ImageFilter()
        if what != CATALOGUE:
            collection = what.removeprefix(COLLECTION)
            if collections.get(session, collection) is None:
                known = (
                    ", ".join(collection_entry.name for collection_entry in collections.page(session, limit=10).items)
                    or "none yet"
                )
                raise NotFoundError(f"there is no collection named {collection!r}; there are: {known}")
            name, image_filter = f"collection {collection}", ImageFilter(collections=(collection,))
        for image in stored.labelled(session, image_filter, fingerprint):
            labelled_images.append(image)
            progress("pictures", len(labelled_images), None)
        skipped = stored.left_out(session, image_filter, fingerprint)
    return _labelled_set(name, workspace, labelled_images, skipped)


def _labelled_set(
    name: str,
    workspace: Workspace,
    images: Sequence[LabelledImage],
    skipped: Mapping[str, int],
    label_words: tuple[WordCount, ...] = (),
) -> LabelledSet:
    if not images:
        reasons = "; ".join(f"{count} left out: {reason}" for reason, count in skipped.items())
        raise UsageError(
            f"{name} has no picture labelled fake or authentic that {workspace.resolved.spec.name} has seen"
            f"{f' ({reasons})' if reasons else ''}: give labels (a manifest's column `label`, folders `fake` and "
            "`real`, `dejafake label`; what words mean: --map-label 0=authentic,1=fake), and ingest "
            "again after changing the detector"
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
        label_words=label_words,
    )


def p_fake(logits: Floats, head: Head) -> Floats:
    """p(fake) [N] from logits [N, C]."""
    wide = logits.astype(np.float64)
    chance = expit(wide[:, 0]) if head.kind == "sigmoid" else softmax(wide, axis=1)[:, head.fake_index]
    return np.asarray(chance, np.float32)
