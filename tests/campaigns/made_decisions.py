"""Decisions made up in memory, for tests of pure functions."""

from datetime import UTC, datetime
from itertools import count

from indexer.catalog.records.campaigns import Decision, Placement, StandingDecision
from indexer.vocabulary import DecisionKind

_AT = datetime(2026, 11, 25, tzinfo=UTC)


class Made:
    """Decisions in the order they are made; `standing` are all of them."""

    def __init__(self) -> None:
        self.standing: list[StandingDecision] = []
        self._numbers = count(1)

    def decide(
        self, kind: DecisionKind, campaign: str, put: dict[str, str | None] | None = None, other: str | None = None
    ) -> Decision:
        """A decision that puts each of these images in a campaign, or in none."""
        images = tuple(Placement(sha256, None, place) for sha256, place in sorted((put or {}).items()))
        number = next(self._numbers)
        made = Decision(number, kind, campaign, other, None, None, "ana", None, _AT, None, None, len(images))
        self.standing.append(StandingDecision(made, images))
        return made
