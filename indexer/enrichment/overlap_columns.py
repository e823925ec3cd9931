"""How the strongest match lies in the row's picture, as cells; empty where local features were not compared."""

from indexer.enrichment.columns import Cell, CellKind, Column, ColumnGroup, rounded, strongest_match, text
from indexer.search.answers import SearchAnswer
from indexer.verdict.alterations import alteration_words
from indexer.vocabulary import Relation


def _cells(answer: SearchAnswer) -> tuple[Cell, ...]:
    best = strongest_match(answer)
    if best is None:
        return (None,) * len(COLUMNS)
    band, overlap = best.score.band.value, best.overlap
    if overlap is None:
        return band, *(None,) * (len(COLUMNS) - 1)
    words = alteration_words(overlap) if overlap.relation is Relation.SAME_PICTURE else ""
    return (
        band,
        words or None,
        rounded(overlap.query_share),
        rounded(overlap.known_share),
        _corners(overlap.query_box),
        _corners(overlap.known_box),
        int(overlap.mirrored),
        round(overlap.turned, 1),
        rounded(overlap.scale),
        overlap.inliers,
        " ".join(f"{number:.6g}" for number in overlap.to_known),
    )


def _corners(box: tuple[int, int, int, int]) -> str:
    return ",".join(map(str, box))


COLUMNS: tuple[Column, ...] = (
    text(
        "match_band",
        "What the match rests on: identical, near_identical, verified_copy, likely_copy (not verified), shares_part, "
        "or how sure a likeness is.",
    ),
    text("match_altered", "What was done to the known picture: cropped to 64 % and mirrored."),
    Column("match_query_share", CellKind.NUMBER, "The share of the row's picture that the known one covers, 0 to 1."),
    Column("match_known_share", CellKind.NUMBER, "The share of the known picture that the row's covers, 0 to 1."),
    text("match_query_box", "Where the known picture lies in the row's: left,top,right,bottom in pixels."),
    text("match_known_box", "Where the row's picture lies in the known one, likewise."),
    Column("match_mirrored", CellKind.INTEGER, "1 if one of them is mirrored, else 0."),
    Column("match_turned", CellKind.NUMBER, "Degrees clockwise from the row's picture to the known one, -180 to 180."),
    Column("match_scale", CellKind.NUMBER, "Pixels of the known picture to a pixel of the row's."),
    Column("match_inliers", CellKind.INTEGER, "How many local features lie alike in both."),
    text("match_transform", "The homography from pixels of the row's picture to the known one: 9 numbers, row by row."),
)
OVERLAP = ColumnGroup(COLUMNS, _cells)
"""The columns and what fills them."""
