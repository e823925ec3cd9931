"""How two pictures relate and where they differ; the second may be an image of the catalogue, from what is kept of it.

What the relations are worth is told in `indexer.verdict`, where two pictures differ in `indexer.examine.difference`.
"""

from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from indexer.calibration import CalibrationVersion
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.copies.verification.overlap import Overlap
from indexer.copies.verification.verifying import verify
from indexer.examine.difference.difference import Difference, find_difference
from indexer.examine.difference.drawing import draw
from indexer.examine.difference.finding import DifferenceFinding, not_compared
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.provenance.recording import provenance_limits
from indexer.search.answers import QueryFacts
from indexer.search.details import Sketch
from indexer.search.matching import Known, relation_scores
from indexer.search.probe import OpenedPicture, Probe
from indexer.verdict.findings import CalibrationReference, DetectorFinding, find, score_statement
from indexer.verdict.limitations import (
    LIMIT_LIKENESS,
    LIMIT_SHARED_PART,
    cosine_limits,
    detector_limits,
    likely_copy_limit,
    missing_limits,
)
from indexer.verdict.relations import Band, RelationScore
from indexer.verdict.thresholds import Thresholds
from indexer.vocabulary import Relation
from indexer.workspace import Workspace

NOT_KEPT: Final = (
    "neither the original of the known image nor a thumbnail of it is kept here; ingest its file again with "
    "DEJAFAKE_KEEP_ORIGINALS=true"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two pictures relate: all relations, the surest first, and what the detector says of each (null when it has
    not seen a known image). `statements` says the latter in sentences; `calibration` is null when scores and cosines
    are uncalibrated. `overlap`: where each picture lies in the other, A as the query and B as the known one; null where
    local features show nothing in common. `provenance`: what each file says of its own origin, each finding with its
    worth; null for a known image of which it was never read. It never changes the relations. `difference`: where the
    pictures differ, null when that was not asked."""

    a: QueryFacts
    b: QueryFacts
    scores: tuple[RelationScore, ...]
    findings: tuple[DetectorFinding, DetectorFinding | None]
    statements: tuple[str | None, str | None]
    calibration: CalibrationReference | None
    limitations: tuple[str, ...]
    overlap: Overlap | None = None
    provenance: tuple[tuple[ProvenanceFinding, ...] | None, tuple[ProvenanceFinding, ...] | None] = (None, None)
    difference: DifferenceFinding | None = None


@dataclass(frozen=True, slots=True)
class PictureComparison:
    """What a comparison of two pictures found.

    `comparison` is complete; `difference` has the arrays too. `a` and `b` are upright, of mode RGB; `b` is None when
    nothing is kept of a known image.
    """

    comparison: Comparison
    difference: Difference
    a: Image.Image
    b: Image.Image | None

    def png(self) -> bytes:
        """Both pictures and where they differ, side by side."""
        return draw(self.difference, self.a, self.b)


def compare_pictures(workspace: Workspace, a: bytes, b: bytes) -> PictureComparison:
    """Compares two pictures, known or not.

    Raises:
        ImageRejectedError: one of them is not a picture that is accepted.
    """
    first, second = workspace.searcher.probes.open(a), workspace.searcher.probes.open(b)
    return _compared(_of_two(workspace, first, second), first.image.rgb, second.image.rgb)


def compare_with_known(workspace: Workspace, a: bytes, sha256: str) -> PictureComparison:
    """Compares a picture with an image of the catalogue: relations and origin from what is stored of it, the difference
    from its kept original, or else from its thumbnail, which the statements then say.

    Raises:
        ImageRejectedError: `a` is not a picture that is accepted.
        NotFoundError: no such image.
        OriginalChangedError: its kept original is not what was kept.
    """
    limits = ImageLimits.from_settings(workspace.settings)
    first = workspace.searcher.probes.open(a)
    picture, data = first.image.rgb, workspace.originals.get(sha256)
    if data is not None:
        original = decode(data, limits).rgb
        return _compared(_of_known(workspace, first, sha256, original), picture, original)
    thumbnail = workspace.thumbnails.get(sha256)
    if thumbnail is not None:
        small = decode(thumbnail, limits).rgb
        return _compared(_of_known(workspace, first, sha256, small), picture, small, _thumbnail_only(small))
    comparison, finding = _of_known(workspace, first, sha256, None), not_compared(NOT_KEPT)
    return PictureComparison(replace(comparison, difference=finding), Difference(finding, None), picture, None)


def _of_two(workspace: Workspace, a: OpenedPicture, b: OpenedPicture) -> Comparison:
    """All relations between two pictures, and what each says of its own origin."""
    calibration = workspace.searcher.calibration.get()
    left, right = workspace.searcher.probes.of_opened([a, b], calibration)
    overlap = verify(Sketch.of(a.image.rgb).details(), Sketch.of(b.image.rgb).details().upright)
    known = _known(left, right, overlap)
    return _comparison(left, right, known, calibration, workspace.searcher.thresholds_with(calibration))


def _of_known(workspace: Workspace, a: OpenedPicture, sha256: str, picture: Image.Image | None) -> Comparison:
    """The same between a picture and an image of the catalogue, by what is stored of the latter; its local features are
    taken from `picture`, its original or thumbnail, else from what is stored of them."""
    searcher, resolved = workspace.searcher, workspace.resolved
    calibration = searcher.calibration.get()
    right, known = searcher.probes.of_known(sha256)
    stored = next(
        (detection for detection in known.details.detections if detection.fingerprint == resolved.fingerprint), None
    )
    finding = None
    if stored is not None:
        finding = find(
            stored.detector,
            stored.fingerprint,
            trained=resolved.spec.trained,
            logits=stored.logits,
            p_fake=stored.p_fake,
            calibration=calibration,
        )
    (left,) = searcher.probes.of_opened([a], calibration)
    details = right.details
    if picture is not None:
        image = known.details.image
        details = Sketch(Sketch.of(picture).rgb, (image.width, image.height)).details
    overlap = None if details is None else verify(Sketch.of(a.image.rgb).details(), details().upright)
    right = replace(right, finding=finding)
    return _comparison(left, right, _known(left, right, overlap), calibration, searcher.thresholds_with(calibration))


def _known(left: Probe, right: Probe, overlap: Overlap | None) -> Known:
    """What is compared of the second picture beside its hashes; pixels have their say as in a search."""
    copy_vector = None if right.copies is None else right.copies.vectors[right.copies.whole.index(True)]
    return Known(right.vector, copy_vector, None if overlap is None else _by_pixels(left, right, overlap))


def _by_pixels(left: Probe, right: Probe, overlap: Overlap) -> Overlap:
    from indexer.copies.verification.deciding import covers, settled
    from indexer.copies.verification.pixels import agreement  # loads OpenCV

    pictures = [probe.small() if probe.small is not None else None for probe in (left, right)]
    sizes = [(probe.facts.width or 0, probe.facts.height or 0) for probe in (left, right)]
    if not covers(overlap) or None in pictures or 0 in (*sizes[0], *sizes[1]):
        return overlap
    a, b = (picture for picture in pictures if picture is not None)
    return settled(overlap, agreement(a, b, overlap, sizes[0], sizes[1]))


def _comparison(
    left: Probe, right: Probe, known: Known, calibration: CalibrationVersion | None, thresholds: Thresholds
) -> Comparison:
    if left.finding is None:
        raise AssertionError("a decoded picture has a finding")
    scores = relation_scores(left, right.facts, bytes.fromhex(right.facts.pdq or ""), known, thresholds)
    reference = None if calibration is None else CalibrationReference.of(calibration)
    return Comparison(
        a=left.facts,
        b=right.facts,
        scores=scores,
        findings=(left.finding, right.finding),
        statements=(
            score_statement(left.finding, reference),
            None if right.finding is None else score_statement(right.finding, reference),
        ),
        calibration=reference,
        overlap=known.overlap if any(score.measure == "overlap" for score in scores) else None,
        provenance=(left.origin, right.origin),
        limitations=_limits(left, left.finding, right, scores, calibration, thresholds),
    )


def _limits(
    left: Probe,
    finding: DetectorFinding,
    right: Probe,
    scores: tuple[RelationScore, ...],
    calibration: CalibrationVersion | None,
    thresholds: Thresholds,
) -> tuple[str, ...]:
    limits = detector_limits(finding, calibration)
    limits += dict.fromkeys(limit for picture in (left, right) for limit in missing_limits(picture.facts.missing))
    limits += list(dict.fromkeys(picture.unassessable for picture in (left, right) if picture.unassessable is not None))
    holding = [score for score in scores if score.holds]
    if holding and holding[0].relation is Relation.SHARES_PART:
        limits.append(LIMIT_SHARED_PART)
    if holding and holding[0].band is Band.LIKELY_COPY:
        limits.append(likely_copy_limit(thresholds.copy_false_matches))
    if thresholds.trained:
        limits += cosine_limits(thresholds.origin)
    origins = [*(left.origin or ()), *(right.origin or ())]
    return (*limits, *provenance_limits(origins), LIMIT_LIKENESS)


def _compared(comparison: Comparison, a: Image.Image, b: Image.Image, first: str | None = None) -> PictureComparison:
    difference = find_difference(a, b)
    if first is not None:
        finding = replace(difference.finding, statements=(first, *difference.finding.statements))
        difference = replace(difference, finding=finding)
    return PictureComparison(replace(comparison, difference=difference.finding), difference, a, b)


def _thumbnail_only(small: Image.Image) -> str:
    return (
        f"The original of B is not kept here: its thumbnail of {small.width} x {small.height} pixels was compared "
        "instead, which shows no small edits, and places in B are given in pixels of it."
    )
