"""The answer for a row without a picture whose address was seen before."""

from collections.abc import Sequence

from indexer.enrichment.answer_columns import COLUMNS, answer_cells
from indexer.enrichment.columns import Cell
from indexer.enrichment.row_answer import gravest
from indexer.search.answers import SearchAnswer
from indexer.vocabulary import Relation

RELATION = "same_address"
MEASURE = "sighting_url"
_OF_PICTURE = tuple(column.name for column in COLUMNS if column.of_picture)


def address_cells(answers: Sequence[SearchAnswer]) -> Sequence[Cell]:
    """The most serious answer for the images seen at the address, worded as such: the row's own picture was not
    compared, and a different one may be at the address today.

    Args:
        answers: of searches with each of those images; at least one.
    """
    return gravest([_cells(answer) for answer in answers])


def _cells(answer: SearchAnswer) -> tuple[Cell, ...]:
    named = {column.name: cell for column, cell in zip(COLUMNS, answer_cells(answer), strict=True)}
    if named["match_relation"] == Relation.SAME_FILE.value:
        named |= {"match_relation": RELATION, "match_measure": MEASURE, "match_score": None}
    named |= dict.fromkeys(_OF_PICTURE)
    named["summary"] = (
        f"Found by its address alone: the image {answer.query.sha256} was seen there before. Of that image: "
        f"{answer.verdict.summary}"
    )
    return tuple(named.values())
