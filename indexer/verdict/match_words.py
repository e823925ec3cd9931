"""How a match belongs to a query, in a few words for a table or a picture."""

from indexer.verdict.alterations import alteration_words, percent
from indexer.verdict.matches import Match
from indexer.vocabulary import Relation


def match_words(match: Match) -> str:
    """What its relation rests on: "PDQ 12 of 256, mirrored", "cropped to 64 %", "likely, copy score 0.61"."""
    score, overlap = match.score, match.overlap
    if score.measure == "sha256":
        return "same bytes"
    if score.measure == "pdq_distance":
        return f"PDQ {score.value:.0f} of 256" + (f", {score.note}" if score.note else "")
    if score.measure == "copy_cosine":
        return f"likely, copy score {score.value:.2f}"
    if score.measure != "overlap":
        return f"cosine {score.value:.3f}"
    alike = f"{score.value:.0f} features lie alike" if score.value else "the pixels agree"
    if overlap is None:
        return alike
    if overlap.relation is Relation.SHARES_PART:
        mirrored = ", mirrored" if overlap.mirrored else ""
        return f"{percent(overlap.query_share)} of this, {percent(overlap.known_share)} of the known one{mirrored}"
    return alteration_words(overlap) or alike
