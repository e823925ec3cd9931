"""A trial of runtimes: each that could serve is built, held to the reference and timed; the fastest is taken.

What is fast differs by an order of magnitude from machine to machine, so it is measured here and never assumed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Final, Generic, Protocol, TypeVar

from indexer.detector.runtimes.runtime import RuntimeUnavailableError
from indexer.errors import DetectorError

MIN_COSINE: Final = 0.9995
"""Least cosine of an embedding to the reference's that a runtime must reach to be chosen by itself."""

_ROUNDS: Final = 2
_MUCH_FASTER: Final = 1.05
"""How much faster than the one before it a runtime must be to be preferred: what is simpler and exact comes first."""


class Named(Protocol):
    """What every runtime says of itself."""

    name: str
    precision: str


RuntimeT = TypeVar("RuntimeT", bound=Named)
Output = TypeVar("Output")


@dataclass(frozen=True, slots=True)
class Measured:
    """A runtime as it was found. `rate` in pictures a second, `cosine` and `p_difference` the worst against the
    reference, all None when it could not be run (or there is no p(fake)); `why_not` says why it was not taken, None
    when it could be."""

    runtime: str
    precision: str
    rate: float | None
    cosine: float | None
    p_difference: float | None
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Choice(Generic[RuntimeT]):
    """What serves: `taken`, None for the eager reference, and all that were `measured`, the reference first."""

    taken: RuntimeT | None
    measured: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Candidate(Generic[RuntimeT]):
    """A runtime that could serve. `build` raises RuntimeUnavailableError where it cannot."""

    name: str
    precision: str
    build: Callable[[], RuntimeT]


@dataclass(frozen=True, slots=True)
class Judgement:
    """How near outputs are to the reference's; `why_not` None: near enough."""

    cosine: float
    p_difference: float | None
    why_not: str | None


def fastest(
    candidates: Iterable[Candidate[RuntimeT]],
    infer: Callable[[RuntimeT], Output],
    judge: Callable[[Output, str], Judgement],
    reference: Measured,
    pictures: int,
    *,
    requested: str,
    alone: bool,
) -> Choice[RuntimeT]:
    """The fastest of the candidates that agree with the reference and are faster than it.

    Args:
        infer: runs one on the pictures of the trial, of which there are `pictures`.
        judge: its outputs, by the precision it has.
        reference: the eager network, as it was measured.
        requested: the runtime that the settings name, which may be slower than the reference; `auto`: any.
        alone: it is the only candidate, and need not be timed well.

    Raises:
        DetectorError: the runtime named does not work here, or does not agree.
    """
    assert reference.rate is not None
    measured = [reference]
    best, best_seconds = None, pictures / reference.rate if requested == "auto" else float("inf")
    for candidate in candidates:
        name, precision = candidate.name, candidate.precision
        try:
            runtime = candidate.build()
            judgement = judge(infer(runtime), precision)
        except (RuntimeUnavailableError, RuntimeError, MemoryError) as error:
            measured.append(Measured(name, precision, None, None, None, " ".join(str(error).split())[:200]))
            continue
        seconds = min(_seconds(runtime, infer) for _ in range(1 if alone else _ROUNDS))
        if judgement.why_not is None and seconds * _MUCH_FASTER < best_seconds:
            best, best_seconds = runtime, seconds
        measurement = Measured(
            name, precision, pictures / seconds, judgement.cosine, judgement.p_difference, judgement.why_not
        )
        measured.append(measurement)
    if best is None and requested != "auto":
        reasons = "; ".join(f"{tried.precision}: {tried.why_not}" for tried in measured[1:])
        raise DetectorError(f"runtime {requested} cannot be used ({reasons}): set DEJAFAKE_RUNTIME=auto")
    return Choice(best, tuple(measured))


def _seconds(runtime: RuntimeT, infer: Callable[[RuntimeT], object]) -> float:
    began = perf_counter()
    infer(runtime)
    return perf_counter() - began
