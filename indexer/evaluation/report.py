"""The whole evaluation of one detector on one set of labelled pictures."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from pydantic import TypeAdapter

from indexer import __version__
from indexer.errors import FingerprintMismatchError
from indexer.estimates import Figure, NotMeasured, figure
from indexer.evaluation.classifiers import CONFOUNDED, confound_auc, histogram_auc
from indexer.evaluation.files import FEATURES
from indexer.evaluation.labelled import LabelledSet
from indexer.evaluation.metrics import roc_auc
from indexer.evaluation.options import EvaluationOptions
from indexer.evaluation.pictures import Pictures
from indexer.evaluation.retrieval import Retrieval, retrieval
from indexer.evaluation.robustness import RobustnessCurve, robustness
from indexer.evaluation.sampling import sample
from indexer.evaluation.scores import NOT_TRAINED, ScoreFigures, Slice, score_figures, slices
from indexer.evaluation.table import PictureTable, picture_table
from indexer.evaluation.wording import LIMITS, interval_words, warnings
from indexer.sources.label_words import WordCount
from indexer.vocabulary import Progress, no_progress

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector

FORMAT = "dejafake-evaluation-1"
_PACKAGES = ("numpy", "scikit-learn", "torch", "pillow", "pdqhash")
_NO_PIXELS = NotMeasured("no pixels are here: originals are not kept")


@dataclass(frozen=True, slots=True)
class JudgedDetector:
    """The detector the figures are about."""

    name: str
    fingerprint: str
    trained: bool
    precision: str


@dataclass(frozen=True, slots=True)
class JudgedPictures:
    """What it was judged on. `groups`: how many different ones are stated; `decoded`: pictures whose pixels were looked
    at, of which are the figures on files, peers and retrieval; `skipped`: left out, by reason; `label_words`: as
    what each word that stood for a label was understood."""

    name: str
    pictures: int
    fakes: int
    authentic: int
    groups: int
    generators: int
    decoded: int
    skipped: Mapping[str, int]
    label_words: tuple[WordCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """How it was measured, so that it can be done again."""

    made_at: datetime
    seed: int
    resamples: int
    threshold: float
    intervals: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Confound:
    """How well file facts alone tell the classes apart; `confounded` when that is 0.6 or more."""

    roc_auc: Figure
    features: tuple[str, ...]
    pictures: int
    confounded: bool


@dataclass(frozen=True, slots=True)
class Peer:
    """A baseline on the same pictures as the detector."""

    name: str
    pictures: int
    roc_auc: Figure
    detector_roc_auc: Figure


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything measured. `format` names the shape of its JSON; figures are an estimate with its 95 % interval, or say
    why they could not be measured."""

    format: str
    detector: JudgedDetector
    pictures: JudgedPictures
    method: Method
    warnings: tuple[str, ...]
    scores: ScoreFigures
    slices: tuple[Slice, ...]
    peers: tuple[Peer, ...]
    confound: Confound
    retrieval: Retrieval
    robustness: tuple[RobustnessCurve, ...]
    limits: tuple[str, ...]

    def as_json(self) -> str:
        """The evaluation as JSON with stable keys."""
        return TypeAdapter(Evaluation).dump_json(self, indent=2).decode() + "\n"


def evaluate(
    labelled: LabelledSet,
    pictures: Pictures,
    detector: "Detector",
    options: EvaluationOptions | None = None,
    *,
    progress: Progress = no_progress,
) -> Evaluation:
    """Judges a detector.

    Args:
        labelled: what the detector said of which pictures (`labelled.labelled_pictures`).
        pictures: their pixels; what needs those that are not here is `not_measurable`.
        detector: the same one; it looks at altered and degraded copies.
        options: sizes and seeds; the same give the same figures.
        progress: hears of steps.

    Raises:
        FingerprintMismatchError: the labelled pictures were seen by another detector.
    """
    options = options or EvaluationOptions()
    if labelled.fingerprint != detector.fingerprint:
        raise FingerprintMismatchError(
            f"the pictures were seen by another detector than {detector.spec.name}: read them again with the one judged"
        )
    trained = detector.spec.trained
    progress("scores", 0, 1)
    scores = score_figures(labelled, options, trained=trained)
    by = slices(labelled, options, progress, trained=trained)
    chosen = sample(labelled.fake, options.database, options.seed)
    table = picture_table(labelled, pictures, chosen, lambda done: progress("decode", done, len(chosen)))
    progress("peers", 0, 1)
    confound = _confound(labelled, table, options)
    return Evaluation(
        format=FORMAT,
        detector=JudgedDetector(detector.spec.name, detector.fingerprint, trained, detector.precision),
        pictures=_judged(labelled, table),
        method=_method(labelled, options),
        warnings=warnings(labelled, trained=trained, confound=confound.roc_auc, pixels=len(table)),
        scores=scores,
        slices=by,
        peers=(_histogram_peer(labelled, table, options, trained=trained),),
        confound=confound,
        retrieval=retrieval(labelled, table, pictures, detector, options, progress),
        robustness=robustness(labelled, pictures, detector, options, progress) if trained else (),
        limits=LIMITS,
    )


def _judged(labelled: LabelledSet, table: PictureTable) -> JudgedPictures:
    return JudgedPictures(
        name=labelled.name,
        pictures=len(labelled),
        fakes=int(labelled.fake.sum()),
        authentic=int((~labelled.fake).sum()),
        groups=len(set(labelled.groups) - {None}),
        generators=len({name for name, fake in zip(labelled.generators, labelled.fake, strict=True) if fake and name}),
        decoded=len(table),
        skipped=labelled.skipped,
        label_words=labelled.label_words,
    )


def _method(labelled: LabelledSet, options: EvaluationOptions) -> Method:
    return Method(
        made_at=datetime.now(UTC).replace(microsecond=0),
        seed=options.seed,
        resamples=options.resamples,
        threshold=options.threshold,
        intervals=interval_words(labelled.groups, options.resamples),
        versions={
            "dejafake": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
    )


def _confound(labelled: LabelledSet, table: PictureTable, options: EvaluationOptions) -> Confound:
    known = labelled.subset(table.numbers)
    drawn = options.resampling(known.groups)
    auc = figure(lambda: confound_auc(table.files, known.fake, **drawn)) if len(known) else _NO_PIXELS
    confounded = not isinstance(auc, NotMeasured) and auc.value >= CONFOUNDED
    return Confound(auc, FEATURES, len(known), confounded)


def _histogram_peer(labelled: LabelledSet, table: PictureTable, options: EvaluationOptions, *, trained: bool) -> Peer:
    known = labelled.subset(table.numbers)
    drawn = options.resampling(known.groups)
    name = "colour histogram (8 x 8 x 8) with a logistic regression, cross-validated"
    if not len(known):
        return Peer(name, 0, _NO_PIXELS, _NO_PIXELS)
    return Peer(
        name=name,
        pictures=len(known),
        roc_auc=figure(lambda: histogram_auc(table.colours.astype(np.float64), known.fake, **drawn)),
        detector_roc_auc=figure(lambda: roc_auc(known.fake, known.p_fake, **drawn)) if trained else NOT_TRAINED,
    )
