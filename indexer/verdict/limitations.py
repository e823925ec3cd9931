"""What an answer does not say: one sentence a limit."""

from typing import Final

from indexer.calibration import CalibrationVersion, OriginMap
from indexer.detector import bundled
from indexer.detector.registry import COMMUNITY_FORENSICS
from indexer.imaging.partial import MENDED
from indexer.provenance.recording import provenance_limits
from indexer.verdict.case import Case
from indexer.verdict.findings import DetectorFinding
from indexer.vocabulary import LabelValue, Outcome, Relation

LIMIT_SIGNAL: Final = "A detector's score is a signal, not proof."
LIMIT_SCORE: Final = f"{LIMIT_SIGNAL} It is uncalibrated: 0.9 does not mean nine in ten."
LIMIT_LIKENESS: Final = (
    "Likeness to a known fake is a relation between pictures; the genuine source of a fake may match it too."
)
LIMIT_NO_MATCH: Final = (
    "No match means that no known fake of this catalogue was found to match. An altered copy can be missed, and it "
    "does not mean that the picture is authentic."
)
LIMIT_UNCALIBRATED: Final = (
    "Cosine thresholds are uncalibrated: how often they are wrong on your pictures has not been measured."
)
LIMIT_UNTRAINED: Final = (
    "The detector in use is not trained: it can neither judge the picture nor its likeness to known fakes."
)
LIMIT_LOCAL_EDIT: Final = (
    "Copies are compared as whole pictures: a genuine picture and the same one with a small local edit both match."
)
LIMIT_SHARED_PART: Final = (
    "A shared part can be a pasted face, but also a logo, a frame, a template or a background that unrelated pictures "
    "share: compare both by eye."
)
LIMIT_LIKELY_COPY: Final = (
    "A likely copy was found by its copy embedding alone, and its details were not compared: look at both pictures."
)
LIMIT_COPIES_LACKING: Final = (
    "Altered copies of some known images may be missed until `dejafake copies prepare` has run."
)
LIMIT_LISTED: Final = (
    "A hash list only says that somebody listed the picture. There is no copy here to compare it with by eye: ask "
    "whoever keeps the list."
)
LIMIT_LOW_QUALITY: Final = (
    "The picture has too little structure for PDQ: it could not be checked whether it is the same picture as a known "
    "one."
)
LIMIT_NO_PDQ: Final = (
    "The picture has too little structure for PDQ: whether it is the same picture as a known one was judged by other "
    "means alone."
)
LIMIT_TOO_LITTLE: Final = (
    "The picture has too little content to be compared: it is blank, flat or nearly so, and looks like every other "
    "such picture. Only the same file could be searched for."
)
LIMIT_HASH_SAYS_NOTHING: Final = (
    "The PDQ hash identifies no picture: hashers produce such hashes for flat pictures and for files they could not "
    "read. It was not compared."
)
LIMIT_BUNDLED: Final = (
    f"The detector in use is {bundled.SPEC.name}, the small one that comes with dejafake: its own score is weak "
    f"evidence. The recommended one is {COMMUNITY_FORENSICS.name}."
)

SHORT_LIKENESS: Final = "A match is not proof: the genuine source of a fake may match it too."
SHORT_COPY: Final = "The same picture is not the same file: the genuine source of a fake may match."
SHORT_PART: Final = "A shared part is no copy: unrelated pictures share logos, frames and templates."
SHORT_NO_MATCH: Final = "No match does not mean authentic, and altered copies can be missed."
SHORT_INCONCLUSIVE: Final = "Inconclusive is neither fake nor authentic: a person must look."
SHORT_NOT_ASSESSED: Final = "Not assessed does not mean authentic: no comparison was possible."
SHORT_SIGNAL: Final = "A detector's score is a signal, not proof"
_SHORT: Final = {
    Outcome.KNOWN_FAKE_MATCH: SHORT_COPY,
    Outcome.SHARES_PART_WITH_KNOWN_FAKE: SHORT_PART,
    Outcome.SIMILAR_TO_KNOWN_FAKE: SHORT_LIKENESS,
    Outcome.NO_MATCH_FOUND: SHORT_NO_MATCH,
    Outcome.INCONCLUSIVE: SHORT_INCONCLUSIVE,
    Outcome.NOT_ASSESSABLE: SHORT_NOT_ASSESSED,
}


def short_limits(outcome: Outcome, *, calibrated: bool) -> tuple[str, str]:
    """The limits of a verdict in two short lines, for a terminal: what the outcome does not mean, and what a score is
    not. They replace no limit: every one is in the verdict."""
    return _SHORT[outcome], short_signal(calibrated=calibrated)


def short_signal(*, calibrated: bool) -> str:
    """What a detector's score is not, in one short line."""
    return f"{SHORT_SIGNAL}." if calibrated else f"{SHORT_SIGNAL}: uncalibrated."


def scope_note(kept_out: int) -> str | None:
    """What is said of matches that a verdict rests on and that a filter keeps out of the list."""
    if not kept_out:
        return None
    words = "One match that it is based on is" if kept_out == 1 else f"{kept_out} matches that it is based on are"
    return f"The verdict is about the whole catalogue. {words} not listed, because of the filter."


def limits_of(case: Case, outcome: Outcome) -> tuple[str, ...]:
    """The limits of a verdict with this outcome."""
    return (
        *(() if case.unassessable is None else (case.unassessable,)),
        *missing_limits(case.missing),
        *_limits_of_comparing(case, outcome),
        *(() if case.origin is None else provenance_limits(case.origin)),
    )


def _limits_of_comparing(case: Case, outcome: Outcome) -> list[str]:
    limits = [] if case.finding is None else detector_limits(case.finding, case.calibration)
    if not case.pictures_assessed:
        limits.append(LIMIT_NO_PDQ if case.copies.assessed else LIMIT_LOW_QUALITY)
    relations = [*(match.relation for match in case.holding), *(match.relation for match in case.listed)]
    if Relation.SAME_PICTURE in relations:
        limits.append(LIMIT_LOCAL_EDIT)
    if any(match.likely for match in case.holding):
        limits.append(likely_copy_limit(case.copies.false_matches))
    if Relation.SHARES_PART in relations:
        limits.append(LIMIT_SHARED_PART)
    if case.copies.problem is not None:
        limits.append(f"Altered copies may be missed: {case.copies.problem}")
    if case.copies.lacking:
        limits.append(LIMIT_COPIES_LACKING)
    if case.listed:
        limits.append(LIMIT_LISTED)
    if case.likeness_assessed:
        limits += cosine_limits(None if case.calibration is None else case.calibration.calibration.same_origin)
    labels = [*(match.image.image.label.value for match in case.holding), *(match.entry.label for match in case.listed)]
    denied = outcome is Outcome.NO_MATCH_FOUND and LabelValue.FAKE not in labels
    limits.append(LIMIT_NO_MATCH if denied else LIMIT_LIKENESS)
    return limits


def likely_copy_limit(false_matches: float | None) -> str:
    """The limit of a likely copy; `false_matches` as of `CopySearch`."""
    if false_matches is None:
        return LIMIT_LIKELY_COPY
    return f"{LIMIT_LIKELY_COPY} As measured, at most {false_matches:.2%} of unrelated pictures score as high."


def missing_limits(missing: float | None) -> list[str]:
    """The limits of what is said of a picture whose file ends early; `missing` as of `QueryFacts`."""
    if missing is None:
        return []
    if missing <= MENDED:
        return ["The file ends early: hardly anything of the picture is missing, but the missing part was not seen."]
    return [
        f"The file ends early: {missing:.0%} of the picture is missing. Only the part that is there was used, like a "
        f"crop: matches of the whole picture may be missed."
    ]


def detector_limits(finding: DetectorFinding, calibration: CalibrationVersion | None) -> list[str]:
    """The limits of what a detector says of a picture."""
    limits = [LIMIT_BUNDLED] if finding.name == bundled.SPEC.name else []
    if not finding.trained:
        return [LIMIT_UNTRAINED, *limits]
    if calibration is None:
        return [LIMIT_SCORE, *limits]
    measured = calibration.calibration
    return [
        f"{LIMIT_SIGNAL} Its probability holds for pictures like those of {measured.data_set}, of which "
        f"{measured.fake_share:.0%} are fake: pictures of another kind, or another share of fakes, make it wrong.",
        *limits,
    ]


def cosine_limits(origin: OriginMap | None) -> list[str]:
    """The limits of a likeness that a trained detector measured."""
    if origin is None:
        return [LIMIT_UNCALIBRATED]
    limit = (
        f"How likely two pictures share a {origin.kind} was measured on the nearest neighbours of {origin.pictures} "
        "pictures: it holds for searches among pictures of the same kind."
    )
    if origin.suggested is None:
        limit += (
            f" No cosine met the stated precision of {origin.stated_suggested:.0%} there, so nothing counts as the "
            f"same origin."
        )
    return [limit]
