"""A measured value with its interval, or the reason why the interval or the value is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import Field

from indexer.errors import UsageError

Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value with its 95 % interval. Without an interval, `low` and `high` are None and `no_interval` says
    why.
    """

    value: Finite
    low: Finite | None
    high: Finite | None
    no_interval: str | None = None

    def __post_init__(self) -> None:
        """Refuses a reversed or half-open interval."""
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("an interval starts above its end")

    @classmethod
    def alone(cls, value: float, why: str) -> "Estimate":
        """A value without an interval, and why it has none."""
        return cls(value, None, None, why)

    def holding(self) -> "Estimate":
        """The same estimate with its interval widened to include the value, for statistics that resampling biases."""
        if self.low is None or self.high is None:
            return self
        return Estimate(self.value, min(self.low, self.value), max(self.high, self.value))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def bounds(self) -> tuple[float, float]:
        """Both ends, for an estimate that must have them.

        Raises:
            ValueError: it has none.
        """
        if self.low is None or self.high is None:
            raise ValueError(f"there is no interval: {self.no_interval}")
        return self.low, self.high

    def text(self, shown: Callable[[float], str]) -> str:
        """The interval as text; `shown` formats one number."""
        if self.low is None or self.high is None:
            return f"no interval: {self.no_interval}"
        return f"{shown(self.low)} to {shown(self.high)}"

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.text(lambda value: f'{value:.3f}')}]"


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """A figure that could not be measured on these pictures; `not_measurable` says why."""

    not_measurable: str

    def __str__(self) -> str:
        return f"not measurable: {self.not_measurable}"


Figure: TypeAlias = Estimate | NotMeasured


def figure(measure: Callable[[], Estimate]) -> Figure:
    """The result of `measure`, or why it could not be measured."""
    try:
        return measure()
    except UsageError as error:
        return NotMeasured(str(error))
