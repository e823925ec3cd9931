"""What is said of a row whose picture is not at hand, but was seen at its address before."""

from collections.abc import Sequence

from indexer.answers import SearchAnswer
from indexer.enrichment.answer_columns import COLUMNS, Cell, answer_cells
from indexer.enrichment.gravity import gravest
from indexer.vocabulary import Relation

RELATION = "same_address"
MEASURE = "sighting_url"
_OF_THE_PICTURE = frozenset(
    {
        "sha256",
        "pdq",
        "p_fake",
        "detector",
        "generator_declared",
        "model_declared",
        "model_hash_declared",
        "technique_declared",
        "digital_source_type",
        "c2pa_state",
        "c2pa_signer",
        "provenance_worth",
    }
)
"""Columns about the row's own picture, which nobody has looked at."""


def address_cells(answers: Sequence[SearchAnswer]) -> Sequence[Cell]:
    """The gravest of what the catalogue says of the images that were seen there, as just that: the row's picture was
    not compared with anything, and another one may be at the address today.

    Args:
        answers: of searches with each of those images; at least one.
    """
    return gravest([_cells(answer) for answer in answers])


def _cells(answer: SearchAnswer) -> tuple[Cell, ...]:
    named = {column.name: cell for column, cell in zip(COLUMNS, answer_cells(answer), strict=True)}
    if named["match_relation"] == Relation.SAME_FILE.value:
        named |= {"match_relation": RELATION, "match_measure": MEASURE, "match_score": None}
    named |= dict.fromkeys(_OF_THE_PICTURE)
    named["summary"] = (
        f"Found by its address alone: the image {answer.query.sha256} was seen there before. Of that image: "
        f"{answer.verdict.summary}"
    )
    return tuple(named.values())
