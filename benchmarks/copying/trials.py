"""One question to the product and its peers and what came of it, and the file that a stopped run goes on from."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from indexer.errors import UsageError


class Claim(StrEnum):
    """What the product says of a known image, strongest first. Of `LIKELY` it says itself that nothing verified it."""

    SAME_PICTURE = "same_picture"
    LIKELY = "likely"
    SHARES_PART = "shares_part"
    SAME_ORIGIN = "same_origin"
    NEAREST = "nearest"

    @property
    def of_a_copy(self) -> bool:
        """Whether it says that both are the same picture."""
        return self in (Claim.SAME_PICTURE, Claim.LIKELY)


class Part(StrEnum):
    """The half of the pictures that limits may be tuned on, and the half that figures are told of."""

    TUNE = "tune"
    TEST = "test"
    ALL = "all"

    def has(self, sha256: str) -> bool:
        """Whether a picture belongs to it, by its SHA-256."""
        if self is Part.ALL:
            return True
        half = hashlib.sha256(sha256.encode()).digest()[0] % 2
        return half == (self is Part.TEST)


@dataclass(frozen=True, slots=True)
class Peer:
    """What one peer made of a query: whether an image of the same picture came first, and its best scores, each with
    whether it is of such an image."""

    first: bool
    scores: tuple[tuple[float, bool], ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """One query.

    Attributes:
        kind: `copy`, `stranger` or `trap`.
        group: `ours`, `augly`, or the kind of trap.
        name: of the alteration, or of the file.
        strength: 0 to 2; -1 of what was not altered.
        about: SHA-256 of the original, or of the query itself.
        first: whether the original came first.
        claim: the strongest that is said of the original; None where it is not listed.
        wrong: what is said of other pictures, strongest first: (SHA-256, claim).
        product: the product's own scores.
        peers: by name.
        milliseconds: the search took.
    """

    kind: str
    group: str
    name: str
    strength: int
    about: str
    first: bool
    claim: Claim | None
    wrong: tuple[tuple[str, Claim], ...]
    product: tuple[tuple[float, bool], ...]
    peers: Mapping[str, Peer] = field(default_factory=dict)
    milliseconds: float = 0.0

    @property
    def key(self) -> str:
        """What tells it from others of the run."""
        return f"{self.kind}:{self.group}:{self.name}:{self.strength}:{self.about}"

    @property
    def claimed_wrongly(self) -> Claim | None:
        """The strongest that is said of a picture it is no copy of, likenesses aside."""
        return next((claim for _, claim in self.wrong if claim is not Claim.SAME_ORIGIN), None)


class TrialFile:
    """Trials as lines of JSON. What it holds when it is opened need not be asked again.

    Args:
        path: made where it is missing.
        parameters: what the run rests on; those of a file that exists must be the same.

    Raises:
        UsageError: the file is of other parameters.
    """

    def __init__(self, path: Path, parameters: Mapping[str, object]) -> None:
        self._path = path
        first = json.dumps({"parameters": parameters}, sort_keys=True, default=str)
        self.trials: dict[str, Trial] = {}
        if not path.exists():
            path.write_text(first + "\n", encoding="utf-8")
            return
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or lines[0] != first:
            raise UsageError(f"{path} is of a run with other parameters: choose another --work folder, or remove it")
        for trial in _read(lines[1:]):
            self.trials[trial.key] = trial

    def add(self, trial: Trial) -> None:
        """Writes it and keeps it."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(trial)) + "\n")
        self.trials[trial.key] = trial


def _read(lines: list[str]) -> Iterator[Trial]:
    """The trials of whole lines; a last line that was cut off by a kill is left out."""
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        said["claim"] = None if said["claim"] is None else Claim(said["claim"])
        said["wrong"] = tuple((sha256, Claim(claim)) for sha256, claim in said["wrong"])
        said["product"] = tuple((score, right) for score, right in said["product"])
        said["peers"] = {
            name: Peer(one["first"], tuple((score, right) for score, right in one["scores"]))
            for name, one in said["peers"].items()
        }
        yield Trial(**said)
