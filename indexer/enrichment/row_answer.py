"""One answer for a row that has several pictures."""

from collections.abc import Iterable, Sequence

from indexer.enrichment.columns import Cell
from indexer.vocabulary import Outcome

_GRAVEST_FIRST = (
    Outcome.KNOWN_FAKE_MATCH,
    Outcome.SHARES_PART_WITH_KNOWN_FAKE,
    Outcome.SIMILAR_TO_KNOWN_FAKE,
    Outcome.INCONCLUSIVE,
    None,
    Outcome.NOT_ASSESSABLE,
    Outcome.NO_MATCH_FOUND,
)
"""None is a picture that could not be answered; an answer "no match" of another picture must not hide it."""


def gravest(answers: Iterable[Sequence[Cell]]) -> Sequence[Cell]:
    """The most serious of several rows of added cells; the first one on ties."""
    return min(answers, key=_seriousness)


def _seriousness(cells: Sequence[Cell]) -> int:
    outcome = None if cells[0] is None else Outcome(str(cells[0]))
    return _GRAVEST_FIRST.index(outcome)
