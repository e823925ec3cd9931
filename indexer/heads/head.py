"""What a head is: weights, a description that tells what it was trained on and how well it did, and what it says."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from indexer.catalog.types import EMBEDDING_DIMENSION, canonical_json
from indexer.errors import UsageError

Floats = npt.NDArray[np.float32]
Target: TypeAlias = Literal["fake", "generator", "technique"]
"""What a head tells: fake from authentic, or of fakes who or what made them."""

FORMAT = 1
MAX_CLASSES = 1_000
MAX_TEXT = 300
"""Longest name of a class or of what a head was trained on, in characters."""
_NAME = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class: its `n` pictures, and the cross-validated AUC of telling it from all others."""

    name: str
    n: int
    auc: Measured


@dataclass(frozen=True, slots=True)
class HeadDescription:
    """Everything there is to say about a head but its numbers.

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
    accuracy: Measured
    macro_f1: Measured
    majority: float
    confusion: tuple[tuple[int, ...], ...]
    trained_at: datetime
    version: str
    weights_sha256: str

    @property
    def auc(self) -> Measured | None:
        """The AUC of a head with two classes; with more there is one for each class."""
        return self.classes[1].auc if len(self.classes) == 2 else None

    def as_json(self) -> dict[str, Any]:
        """The description as plain JSON values."""
        plain: dict[str, Any] = TypeAdapter(HeadDescription).dump_python(self, mode="json")
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
    accuracy: Measured
    auc: Measured | None
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
        said, chances = self.description, self.scores(embedding[None])[0]
        order = np.argsort(-chances, kind="stable")
        scores = tuple(ClassScore(said.classes[one].name, round(float(chances[one]), 6)) for one in order)
        return HeadFinding(
            name=said.name,
            target=said.target,
            fingerprint=self.fingerprint,
            top=scores[0].name,
            scores=scores,
            n=said.n,
            trained_on=said.trained_on,
            accuracy=said.accuracy,
            auc=said.auc,
            majority=said.majority,
            trained_at=said.trained_at,
            statement=_statement(said, scores[0]),
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
    """Whether a head may be called so."""
    return _NAME.fullmatch(name) is not None


def weights_shape(classes: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a head and their shapes."""
    return {"weights": (classes, EMBEDDING_DIMENSION), "bias": (classes,)}


def _statement(said: HeadDescription, top: ClassScore) -> str:
    known = f"; it knows {len(said.classes)} and takes for granted that the picture is a fake"
    only = "" if said.target == "fake" else known
    untrained = "" if said.detector_trained else " It rests on the features of an untrained detector."
    return (
        f"Your own head {said.name} ({said.target}) says {top.name}, score {top.score:.2f}{only}. Trained on {said.n} "
        f"pictures of {said.trained_on}; in cross-validation on them {said.accuracy.value:.0%} right (95 % interval "
        f"{said.accuracy.low:.0%} to {said.accuracy.high:.0%}), where always naming the most frequent class gives "
        f"{said.majority:.0%}.{untrained}"
    )
