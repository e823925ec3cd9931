"""The columns that are added to a row, in groups: each group is a few columns and a function from an answer to cells.

Another kind of knowledge is another group in `GROUPS`; readers and writers need not know of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from indexer.answers import SearchAnswer
from indexer.enrichment.declared import declared_cells
from indexer.verdict import Match
from indexer.vocabulary import Relation

Cell = str | int | float | None


class CellKind(StrEnum):
    """What a column holds: text, whole numbers, or real numbers."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Column:
    """One added column."""

    name: str
    kind: CellKind
    meaning: str

    def under(self, prefix: str) -> "Column":
        """The column as it is named in somebody's data."""
        return replace(self, name=f"{prefix}{self.name}")


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """Columns that are filled together. `cells` gives one cell a column."""

    columns: tuple[Column, ...]
    cells: Callable[[SearchAnswer], tuple[Cell, ...]]


def _text(name: str, meaning: str) -> Column:
    return Column(name, CellKind.TEXT, meaning)


def _verdict(answer: SearchAnswer) -> tuple[Cell, ...]:
    return answer.verdict.outcome.value, answer.verdict.summary


def _match(answer: SearchAnswer) -> tuple[Cell, ...]:
    best, count = _best(answer), len(answer.verdict.matched)
    if best is None:
        return None, None, None, None, None, None, count
    score = next(score for score in best.scores if score.relation is best.relation)
    image = best.image.image
    label = "disputed" if image.label.disputed else image.label.value.value
    return image.sha256, best.relation.value, score.measure, _rounded(score.value), label, image.label.source, count


def _campaign(answer: SearchAnswer) -> tuple[Cell, ...]:
    """Of the strongest match that belongs to one."""
    places = (place for match in answer.matches if match.holds for place in match.image.campaigns)
    place = next(places, None)
    return (None, None) if place is None else (place.campaign, place.name)


def _query(answer: SearchAnswer) -> tuple[Cell, ...]:
    return answer.query.sha256, answer.query.pdq


def _detector(answer: SearchAnswer) -> tuple[Cell, ...]:
    fingerprint = answer.verdict.index.fingerprint
    calibration = answer.verdict.calibration
    name, p_fake = None, None
    if answer.detector is not None:
        name, p_fake = answer.detector.name, answer.detector.p_fake
    elif (best := _best(answer)) is not None and best.relation is Relation.SAME_FILE:
        for said in best.image.detections:
            if said.fingerprint == fingerprint:
                name, p_fake = said.detector, said.p_fake
    version = None if calibration is None else calibration.version
    return _rounded(p_fake), name, fingerprint, version, answer.verdict.index.snapshot


def _best(answer: SearchAnswer) -> Match | None:
    """The strongest match that holds; one that is merely near is none."""
    return next((match for match in answer.matches if match.holds), None)


def _rounded(value: float | None) -> float | None:
    """Six digits: what differs after them differs by machine, not by picture."""
    return None if value is None else round(value, 6)


GROUPS = (
    ColumnGroup(
        (
            _text("outcome", "The verdict's outcome; `no_match_found` does not mean authentic."),
            _text("summary", "The verdict in a sentence."),
        ),
        _verdict,
    ),
    ColumnGroup(
        (
            _text("match_sha256", "SHA-256 of the strongest match that holds."),
            _text(
                "match_relation",
                "How it belongs to the row's picture: same_file, same_picture or same_origin; same_address where it "
                "was seen at the address a review gives, and no picture was compared.",
            ),
            _text(
                "match_measure",
                "What match_score measures: sha256, pdq_distance (of 256) or cls_cosine; sighting_url has no score.",
            ),
            Column("match_score", CellKind.NUMBER, "How near it is, by that measure."),
            _text("match_label", "What its labels add up to: fake, authentic, unknown or disputed."),
            _text("match_label_source", "Who says so."),
            Column("matches", CellKind.INTEGER, "How many known images are the same file, picture or origin."),
        ),
        _match,
    ),
    ColumnGroup(
        (
            _text("campaign", "Id of the campaign of the strongest match that belongs to one."),
            _text("campaign_name", "Its name."),
        ),
        _campaign,
    ),
    ColumnGroup(
        (
            _text("sha256", "SHA-256 of the row's picture."),
            _text("pdq", "PDQ hash of the row's picture."),
        ),
        _query,
    ),
    ColumnGroup(
        (
            Column("p_fake", CellKind.NUMBER, "The detector's own score, 0 to 1: a signal, not proof."),
            _text("detector", "The detector that scored it."),
            _text("detector_fingerprint", "Digest of the detector the catalogue was searched with."),
            Column("calibration", CellKind.INTEGER, "Version of the calibration the answer was read with."),
            _text("snapshot", "State of the catalogue's index the answer was computed on."),
        ),
        _detector,
    ),
    ColumnGroup(
        (
            _text("generator_declared", "The generator the picture's file names. A file can say anything."),
            _text("model_declared", "The model it names."),
            _text("model_hash_declared", "Hash of that model."),
            _text("technique_declared", "How the file says it was made; several joined by semicolons. It is no label."),
            _text("digital_source_type", "The IPTC code the file declares, such as trainedAlgorithmicMedia."),
            _text("c2pa_state", "Its C2PA manifest: trusted (by a trust anchor), valid (anyone can sign) or invalid."),
            _text("c2pa_signer", "Who signed that, as the certificate says."),
            _text(
                "provenance_worth",
                "What its strongest finding rests on: cryptographic, statistical or self_declared. Empty: it says "
                "nothing, which means nothing.",
            ),
        ),
        lambda answer: declared_cells(answer.provenance),
    ),
)
ERROR = _text("error", "Why the row could not be answered.")
COLUMNS: tuple[Column, ...] = (*(column for group in GROUPS for column in group.columns), ERROR)
"""All added columns in their order, without a prefix; `outcome` comes first, `error` last."""


def answer_cells(answer: SearchAnswer) -> tuple[Cell, ...]:
    """One cell for each of `COLUMNS`."""
    return (*(cell for group in GROUPS for cell in group.cells(answer)), None)


def error_cells(message: str) -> tuple[Cell, ...]:
    """One cell for each of `COLUMNS`: only the error is filled."""
    return (*(None for _ in COLUMNS[1:]), message)
