"""Why an image is in a campaign: reasons as kinds and numbers, and their wording."""

from collections.abc import Iterable
from dataclasses import replace

from indexer.calibration import OriginMap
from indexer.catalog.records.campaigns import Decision, Reason
from indexer.vocabulary import DecisionKind, ReasonKind

SHORT = 12
"""Digits of a SHA-256 shown to people."""


def copy_reason(bits: int, other: str, *, mirrored: bool) -> Reason:
    """The image is a copy of `other` (SHA-256), possibly mirrored, at a PDQ distance of `bits` (of 256)."""
    return Reason(ReasonKind.SAME_PICTURE, other, float(bits), mirrored=mirrored)


def verified_reason(inliers: int, other: str, *, mirrored: bool) -> Reason:
    """The image is an altered copy of `other` (SHA-256), possibly mirrored: so many local features lie alike."""
    return Reason(ReasonKind.VERIFIED_COPY, other, float(inliers), mirrored=mirrored)


def origin_reason(cosine: float, other: str, probability: float | None = None) -> Reason:
    """The image's embedding by a trained detector is near that of `other` (SHA-256). `probability`: of a common origin,
    by the calibration in use.
    """
    return Reason(ReasonKind.SAME_ORIGIN, other, cosine, probability)


def recipe_reason(other: str) -> Reason:
    """The image's file names the same recipe as that of `other` (SHA-256)."""
    return Reason(ReasonKind.SAME_RECIPE, other)


def decided_reason(decision: Decision) -> Reason:
    """An analyst's decision keeps the image there, or an undo put it back."""
    return Reason(ReasonKind.DECIDED, decision=decision.id, decision_kind=decision.kind)


JOINED_REASON = Reason(ReasonKind.JOINED)


PLACED_REASON = Reason(ReasonKind.PLACED)


def reason_words(reason: Reason, *, name_other: bool = True) -> str:
    """A reason as a sentence. `name_other`: include the first digits of the linked image's SHA-256."""
    other = f" (to {reason.other[:SHORT]})" if name_other and reason.other is not None else ""
    return f"{_stated(reason)}{other}"


def _stated(reason: Reason) -> str:
    match reason.kind:
        case ReasonKind.SAME_PICTURE:
            return f"same picture{' mirrored' if reason.mirrored else ''}, PDQ {_number(reason.value):.0f}"
        case ReasonKind.VERIFIED_COPY:
            mirrored = " mirrored" if reason.mirrored else ""
            return f"same picture{mirrored}, altered: {_number(reason.value):.0f} features lie alike"
        case ReasonKind.SAME_ORIGIN:
            cut = _cut(_number(reason.value))
            if reason.probability is not None:
                return f"same origin {cut:.2f}, calibrated {reason.probability:.2f}"
            return f"same origin, cosine {cut:.2f} (uncalibrated)"
        case ReasonKind.SAME_RECIPE:
            return "same model, seed and prompt by what the files say"
        case ReasonKind.DECIDED:
            kind = reason.decision_kind or DecisionKind.CONFIRM
            done = "put back" if kind is DecisionKind.UNDO else "kept here"
            return f"{done} by an analyst's decision {reason.decision} ({kind.value.replace('_', ' ')})"
        case ReasonKind.JOINED:
            return "joined when it was ingested; the next clustering run decides"
        case ReasonKind.PLACED:
            return "joined as nearest neighbour after the clustering"
        case ReasonKind.AS_WRITTEN:
            return reason.text or ""


def reasons_words(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """Reasons as sentences, in their order."""
    return tuple(reason_words(reason) for reason in reasons)


def calibrated_reason(reason: Reason, origin: OriginMap | None) -> Reason:
    """A reason with the calibrated probability of its cosine, if there is a calibration and the cosine was stored in
    full.
    """
    if origin is None or reason.kind is not ReasonKind.SAME_ORIGIN or reason.probability is not None:
        return reason
    if reason.rounded or reason.value is None:
        return reason
    return replace(reason, probability=origin.probability(reason.value))


def _number(value: float | None) -> float:
    return 0.0 if value is None else value


def _cut(cosine: float) -> float:
    """Two decimals, rounded down: 0.8999 is not 0.90."""
    return int(cosine * 100 + 1e-9) / 100
