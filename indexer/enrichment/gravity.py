"""One answer for a row that has several pictures."""

from collections.abc import Iterable, Sequence

from indexer.enrichment.answer_columns import Cell
from indexer.vocabulary import Outcome

_GRAVEST_FIRST = (
    Outcome.KNOWN_FAKE_MATCH,
    Outcome.SIMILAR_TO_KNOWN_FAKE,
    Outcome.INCONCLUSIVE,
    None,
    Outcome.NOT_ASSESSABLE,
    Outcome.NO_MATCH_FOUND,
)
"""None is a picture that could not be answered: it must not hide behind another one that no known fake matches."""


def gravest(answers: Iterable[Sequence[Cell]]) -> Sequence[Cell]:
    """The gravest of several rows of added cells, the first of those that weigh the same."""
    return min(answers, key=_gravity)


def _gravity(cells: Sequence[Cell]) -> int:
    outcome = None if cells[0] is None else Outcome(str(cells[0]))
    return _GRAVEST_FIRST.index(outcome)
