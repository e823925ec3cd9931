"""A head: its weights, a description of its training data and accuracy, and its scores for a query."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from indexer.arrays import Floats
from indexer.catalog.tables.types import canonical_json
from indexer.errors import UsageError
from indexer.estimates import Estimate
from indexer.vocabulary import EMBEDDING_SIZE

Target: TypeAlias = Literal["fake", "generator", "technique"]
"""What a head predicts: fake or authentic; or, for fakes, the generator or technique."""

FORMAT = 1
MAX_CLASSES = 1_000
MAX_TEXT = 300
"""Longest name of a class or of what a head was trained on, in characters."""
_NAME = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class: its `n` pictures, and the cross-validated AUC of telling it from all others."""

    name: str
    n: int
    auc: Estimate


@dataclass(frozen=True, slots=True)
class HeadDescription:
    """Everything about a head except its weights.

    `trained_on` names the labelled pictures, `n` of them, of `groups` that were never split between training and
    judging (None when nobody named groups). All figures are out of fold, by cross-validation with `folds` folds in
    which the regularisation was chosen anew each time: `accuracy`, `macro_f1`, `classes[…].auc` and `confusion`
    [truth][answer]. `majority` is the accuracy of always naming the most frequent class. `left_out` says which classes
    were not learnt and why. `detector_trained` False: the embeddings are features of pictures that nobody trained.
    """

    format: int
    name: str
    target: Target
    classes: tuple[ClassFigures, ...]
    detector: str
    detector_fingerprint: str
    detector_trained: bool
    trained_on: str
    n: int
    groups: int | None
    left_out: Mapping[str, str]
    folds: int
    regularisation: float
    seed: int
    accuracy: Estimate
    macro_f1: Estimate
    majority: float
    confusion: tuple[tuple[int, ...], ...]
    trained_at: datetime
    version: str
    weights_sha256: str

    @property
    def auc(self) -> Estimate | None:
        """The AUC of a head with two classes; with more there is one for each class."""
        return self.classes[1].auc if len(self.classes) == 2 else None

    def as_json(self) -> dict[str, Any]:
        """The description as plain JSON values."""
        plain: dict[str, Any] = TypeAdapter(HeadDescription).dump_python(self, mode="json")
        for figure in (plain["accuracy"], plain["macro_f1"], *(entry["auc"] for entry in plain["classes"])):
            if figure["no_interval"] is None:  # as heads were described when each figure had an interval
                del figure["no_interval"]
        return plain

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) over the canonical JSON of the description, which holds the digest of the weights and
        the detector's fingerprint."""
        return hashlib.sha256(canonical_json(self.as_json()).encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class ClassScore:
    """A class and its score; the scores of a finding add up to 1, as if all classes were equally frequent."""

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class HeadFinding:
    """What a head says of a query: `scores` of all its classes, highest first, and what stands behind them.

    `accuracy`, `auc` and `majority` are those of its description, on `n` pictures of `trained_on`. `statement` says it
    for a person.
    """

    name: str
    target: Target
    fingerprint: str
    top: str
    scores: tuple[ClassScore, ...]
    n: int
    trained_on: str
    accuracy: Estimate
    auc: Estimate | None
    majority: float
    trained_at: datetime
    statement: str


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A head that can be asked. `weights` [C, 384] and `bias` [C], in the order of `description.classes`."""

    description: HeadDescription
    fingerprint: str
    weights: Floats
    bias: Floats

    def scores(self, embeddings: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """Softmax scores [N, C] of L2-normalised embeddings [N, 384] of its detector."""
        logits = embeddings.astype(np.float64) @ self.weights.T.astype(np.float64) + self.bias
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def finding(self, embedding: Floats) -> HeadFinding:
        """What the head says of one embedding [384]."""
        description, chances = self.description, self.scores(embedding[None])[0]
        order = np.argsort(-chances, kind="stable")
        scores = tuple(
            ClassScore(description.classes[number].name, round(float(chances[number]), 6)) for number in order
        )
        return HeadFinding(
            name=description.name,
            target=description.target,
            fingerprint=self.fingerprint,
            top=scores[0].name,
            scores=scores,
            n=description.n,
            trained_on=description.trained_on,
            accuracy=description.accuracy,
            auc=description.auc,
            majority=description.majority,
            trained_at=description.trained_at,
            statement=_statement(description, scores[0]),
        )


def check_name(name: str) -> str:
    """`name`, if a head may be called so.

    Raises:
        UsageError: it may not.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"a head's name is 1 to 64 of the characters a-z, 0-9 and -, not {name[:80]!r}")
    return name


def is_name(name: str) -> bool:
    """Whether this is a valid name for a head."""
    return _NAME.fullmatch(name) is not None


def weights_shape(classes: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a head and their shapes."""
    return {"weights": (classes, EMBEDDING_SIZE), "bias": (classes,)}


def _statement(about: HeadDescription, top: ClassScore) -> str:
    known = f"; it knows {len(about.classes)} and takes for granted that the picture is a fake"
    only = "" if about.target == "fake" else known
    sure = about.accuracy.text("{:.0%}".format)
    sure = sure if about.accuracy.interval is None else f"95 % interval {sure}"
    untrained = "" if about.detector_trained else " It rests on the features of an untrained detector."
    return (
        f"Your own head {about.name} ({about.target}) says {top.name}, score {top.score:.2f}{only}. Trained on "
        f"{about.n} pictures of {about.trained_on}; in cross-validation on them {about.accuracy.value:.0%} right "
        f"({sure}), where always naming the most frequent class gives {about.majority:.0%}.{untrained}"
    )
