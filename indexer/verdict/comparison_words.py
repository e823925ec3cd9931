"""What a comparison of the pictures A and B says, in a sentence."""

from collections.abc import Mapping, Sequence
from typing import Final

from indexer.copies.verification.overlap import Overlap
from indexer.verdict.alterations import alteration_words, percent, seen_from_known
from indexer.verdict.relations import Band, RelationScore
from indexer.vocabulary import Relation

_RELATIONS: Final[Mapping[Relation, str]] = {
    Relation.SAME_FILE: "A and B are the same file.",
    Relation.SAME_PICTURE: "A and B are the same picture, or near-identical ones.",
    Relation.SHARES_PART: "A and B share a part: each contains a part of the other.",
    Relation.SAME_ORIGIN: "A and B are different pictures, but their embeddings are close.",
}
NO_RELATION: Final = "No relation between A and B was found. That does not mean that there is none."


def comparison_words(scores: Sequence[RelationScore], overlap: Overlap | None) -> str:
    """The strongest relation in a sentence, with what was done to one of the pictures where that shows.

    Args:
        scores: the surest relation first.
        overlap: where each picture lies in the other, A as the query.
    """
    strongest = next((score for score in scores if score.holds), None)
    if strongest is None:
        return NO_RELATION
    if strongest.band is Band.LIKELY_COPY:
        return "A and B are likely the same picture, by their copy embeddings alone."
    if overlap is None or strongest.relation is Relation.SAME_FILE:
        return _RELATIONS[strongest.relation]
    if overlap.relation is Relation.SHARES_PART:
        if strongest.relation is not Relation.SHARES_PART:
            return _RELATIONS[strongest.relation]
        shares = f"{percent(overlap.query_share)} of A and {percent(overlap.known_share)} of B"
        return f"A and B share a part, which covers {shares}{', mirrored' if overlap.mirrored else ''}."
    first, second = ("A", "B") if overlap.known_share <= overlap.query_share else ("B", "A")
    words = alteration_words(overlap if first == "A" else seen_from_known(overlap))
    return f"A and B are the same picture: {first} is {second} {words}." if words else _RELATIONS[Relation.SAME_PICTURE]
