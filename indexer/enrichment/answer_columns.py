"""The columns added to a row, in groups: each group is a few columns and a function from an answer to cells. To add
another kind of information, add a group to `GROUPS`; readers and writers stay unchanged.
"""

from indexer.enrichment.columns import Cell, CellKind, Column, ColumnGroup, rounded, strongest_match, text
from indexer.enrichment.overlap_columns import OVERLAP
from indexer.enrichment.provenance_columns import PROVENANCE
from indexer.search.answers import SearchAnswer
from indexer.vocabulary import PdqMethod, Relation


def _verdict(answer: SearchAnswer) -> tuple[Cell, ...]:
    return answer.verdict.outcome.value, answer.verdict.summary


def _match(answer: SearchAnswer) -> tuple[Cell, ...]:
    best, count = strongest_match(answer), len(answer.verdict.matched)
    if best is None:
        return None, None, None, None, None, None, count
    score = best.score
    image = best.image.image
    label = "disputed" if image.label.disputed else image.label.value.value
    return image.sha256, best.relation.value, score.measure, rounded(score.value), label, image.label.source, count


def _campaign(answer: SearchAnswer) -> tuple[Cell, ...]:
    """The campaign of the strongest match that belongs to one."""
    memberships = (membership for match in answer.matches if match.holds for membership in match.image.campaigns)
    membership = next(memberships, None)
    return (None, None) if membership is None else (membership.campaign, membership.name)


def _query(answer: SearchAnswer) -> tuple[Cell, ...]:
    """A hash computed by an older version is left out: other tools would not find it."""
    old = answer.query.pdq_method == PdqMethod.BILINEAR_512
    return answer.query.sha256, None if old else answer.query.pdq


def _detector(answer: SearchAnswer) -> tuple[Cell, ...]:
    fingerprint = answer.verdict.index.fingerprint
    calibration = answer.verdict.calibration
    name, p_fake = None, None
    if answer.detector is not None:
        name, p_fake = answer.detector.name, answer.detector.p_fake
    elif (best := strongest_match(answer)) is not None and best.relation is Relation.SAME_FILE:
        for said in best.image.detections:
            if said.fingerprint == fingerprint:
                name, p_fake = said.detector, said.p_fake
    version = None if calibration is None else calibration.version
    return rounded(p_fake), name, fingerprint, version, answer.verdict.index.snapshot


GROUPS = (
    ColumnGroup(
        (
            text("outcome", "The verdict's outcome; `no_match_found` does not mean authentic."),
            text("summary", "The verdict in a sentence."),
        ),
        _verdict,
    ),
    ColumnGroup(
        (
            text("match_sha256", "SHA-256 of the strongest match that holds."),
            text(
                "match_relation",
                "How it belongs to the row's picture: same_file, same_picture, shares_part or same_origin; "
                "same_address where it was seen at the address a review gives, and no picture was compared.",
            ),
            text(
                "match_measure",
                "What match_score measures: sha256, pdq_distance (of 256), overlap (features that lie alike), "
                "copy_cosine or cls_cosine; sighting_url has no score.",
            ),
            Column("match_score", CellKind.NUMBER, "How near it is, by that measure."),
            text("match_label", "What its labels add up to: fake, authentic, unknown or disputed."),
            text("match_label_source", "Who says so."),
            Column("matches", CellKind.INTEGER, "How many known images hold one of these relations to it."),
        ),
        _match,
    ),
    ColumnGroup(
        (
            text("campaign", "Id of the campaign of the strongest match that belongs to one."),
            text("campaign_name", "Its name."),
        ),
        _campaign,
    ),
    ColumnGroup(
        (
            text("sha256", "SHA-256 of the row's picture.", of_picture=True),
            text("pdq", "PDQ hash of the row's picture.", of_picture=True),
        ),
        _query,
    ),
    ColumnGroup(
        (
            Column(
                "p_fake", CellKind.NUMBER, "The detector's own score, 0 to 1: a signal, not proof.", of_picture=True
            ),
            text("detector", "The detector that scored it.", of_picture=True),
            text("detector_fingerprint", "Digest of the detector the catalogue was searched with."),
            Column("calibration", CellKind.INTEGER, "Version of the calibration the answer was read with."),
            text("snapshot", "State of the catalogue's index the answer was computed on."),
        ),
        _detector,
    ),
    PROVENANCE,
    OVERLAP,
)
ERROR = text("error", "Why the row could not be answered.")
COLUMNS: tuple[Column, ...] = (*(column for group in GROUPS for column in group.columns), ERROR)
"""All added columns in their order, without a prefix; `outcome` comes first, `error` last."""


def answer_cells(answer: SearchAnswer) -> tuple[Cell, ...]:
    """One cell for each of `COLUMNS`."""
    return (*(cell for group in GROUPS for cell in group.cells(answer)), None)


def error_cells(message: str) -> tuple[Cell, ...]:
    """One cell for each of `COLUMNS`: only the error is filled."""
    return (*(None for _ in COLUMNS[1:]), message)
