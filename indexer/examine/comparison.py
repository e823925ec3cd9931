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
from indexer.imaging.content import has_few_tones
from indexer.imaging.decoding import decode
from indexer.imaging.hashing import query_hashes
from indexer.imaging.limits import ImageLimits
from indexer.provenance.recording import provenance_limits
from indexer.search.answers import QueryFacts
from indexer.search.details import Details, Sketch
from indexer.search.matching import Known, relation_scores
from indexer.search.probe import Probe
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
    "neither the original of a known image nor a thumbnail of it is kept here; ingest its file again with "
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
    findings: tuple[DetectorFinding | None, DetectorFinding | None]
    statements: tuple[str | None, str | None]
    calibration: CalibrationReference | None
    limitations: tuple[str, ...]
    overlap: Overlap | None = None
    provenance: tuple[tuple[ProvenanceFinding, ...] | None, tuple[ProvenanceFinding, ...] | None] = (None, None)
    difference: DifferenceFinding | None = None


@dataclass(frozen=True, slots=True)
class PictureComparison:
    """What a comparison of two pictures found.

    `comparison` is complete; `difference` has the arrays too. `a` and `b` are upright, of mode RGB; None when nothing
    is kept of a known image.
    """

    comparison: Comparison
    difference: Difference
    a: Image.Image | None
    b: Image.Image | None

    def png(self) -> bytes:
        """Both pictures and where they differ, side by side."""
        return draw(self.difference, self.a, self.b)


def compare_pictures(workspace: Workspace, a: bytes | str, b: bytes | str) -> PictureComparison:
    """Compares two pictures, known or not.

    Args:
        workspace: the installation.
        a, b: the bytes of an image file, or the SHA-256 of an image of the catalogue. A known image is compared by what
            is stored of it, and its picture by its kept original, or else by its thumbnail, which the statements say.

    Raises:
        ImageRejectedError: a file is not a picture that is accepted.
        NotFoundError: no such image.
        OriginalChangedError: a kept original is not what was kept.
    """
    calibration = workspace.searcher.calibration.get()
    given, probing = {"A": a, "B": b}, workspace.searcher.probes
    opened = {name: probing.open(side) for name, side in given.items() if not isinstance(side, str)}
    probes = dict(zip(opened, probing.of_opened([*opened.values()], calibration), strict=True))
    left, right = (
        _kept(workspace, name, side, calibration)
        if isinstance(side, str)
        else _Side(probes[name], opened[name].image.rgb, Sketch.of(opened[name].image.rgb).details)
        for name, side in given.items()
    )
    comparison = _comparison(left.probe, right.probe, _known(left, right), calibration, workspace)
    if left.picture is None or right.picture is None:
        difference = Difference(not_compared(NOT_KEPT), None)
    else:
        difference = find_difference(left.picture, right.picture)
    notes = tuple(side.note for side in (left, right) if side.note is not None)
    finding = replace(difference.finding, statements=(*notes, *difference.finding.statements))
    difference = replace(difference, finding=finding)
    return PictureComparison(replace(comparison, difference=finding), difference, left.picture, right.picture)


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One of the pictures. `picture`: upright, of mode RGB, None where nothing is kept of a known image; `details`
    gives its local features, None without any; `note` says that a thumbnail was compared."""

    probe: Probe
    picture: Image.Image | None
    details: Details | None
    note: str | None = None


def _kept(workspace: Workspace, name: str, sha256: str, calibration: CalibrationVersion | None) -> _Side:
    """An image of the catalogue, by what is stored of it; its local features are taken from its original or thumbnail,
    else from what is stored of them."""
    limits, resolved = ImageLimits.from_settings(workspace.settings), workspace.resolved
    probe, known = workspace.searcher.probes.of_known(sha256)
    stored = next((each for each in known.details.detections if each.fingerprint == resolved.fingerprint), None)
    if stored is not None:
        finding = find(
            stored.detector,
            stored.fingerprint,
            trained=resolved.spec.trained,
            logits=stored.logits,
            p_fake=stored.p_fake,
            calibration=calibration,
        )
        probe = replace(probe, finding=finding)
    size = known.details.image.width, known.details.image.height
    if (data := workspace.originals.get(sha256)) is not None:
        original = decode(data, limits).rgb
        hashes = query_hashes(original).queries if probe.unassessable is None else ()
        return _Side(replace(probe, hashes=hashes), original, _features_of(original, size))
    if (thumbnail := workspace.thumbnails.get(sha256)) is not None:
        small = decode(thumbnail, limits).rgb
        return _Side(probe, small, _features_of(small, size), _thumbnail_only(name, small))
    return _Side(probe, None, probe.details)


def _features_of(picture: Image.Image, size: tuple[int, int]) -> Details:
    return Sketch(Sketch.of(picture).rgb, size).details


def _known(left: _Side, right: _Side) -> Known:
    """What is compared of the second picture beside its hashes; pixels have their say as in a search."""
    copies = right.probe.copies
    copy_vector = None if copies is None else copies.vectors[copies.whole.index(True)]
    overlap = None
    if left.details is not None and right.details is not None:
        overlap = _by_pixels(left, right, verify(left.details(), right.details().upright))
    return Known(right.probe.vector, copy_vector, overlap)


def _by_pixels(left: _Side, right: _Side, overlap: Overlap | None) -> Overlap | None:
    from indexer.copies.verification.comparing import SmallPicture, by_pixels, near_enough  # loads OpenCV

    if left.picture is None or right.picture is None:
        return overlap
    telling = not any(has_few_tones(side.probe.facts.content) for side in (left, right))
    hashes = [[query.bits for query in side.probe.hashes] if telling else [] for side in (left, right)]
    small = [
        SmallPicture(Sketch.of(picture).rgb, (facts.width or picture.width, facts.height or picture.height))
        for picture, facts in ((left.picture, left.probe.facts), (right.picture, right.probe.facts))
    ]
    decided = by_pixels(small[0], small[1], overlap, near_enough(*hashes))
    return overlap if decided is None else decided


def _comparison(
    left: Probe, right: Probe, known: Known, calibration: CalibrationVersion | None, workspace: Workspace
) -> Comparison:
    thresholds = workspace.searcher.thresholds_with(calibration)
    scores = relation_scores(left, right.facts, bytes.fromhex(right.facts.pdq or ""), known, thresholds)
    reference = None if calibration is None else CalibrationReference.of(calibration)
    return Comparison(
        a=left.facts,
        b=right.facts,
        scores=scores,
        findings=(left.finding, right.finding),
        statements=(
            None if left.finding is None else score_statement(left.finding, reference),
            None if right.finding is None else score_statement(right.finding, reference),
        ),
        calibration=reference,
        overlap=known.overlap if any(score.measure == "overlap" for score in scores) else None,
        provenance=(left.origin, right.origin),
        limitations=_limits(left, right, scores, calibration, thresholds),
    )


def _limits(
    left: Probe,
    right: Probe,
    scores: tuple[RelationScore, ...],
    calibration: CalibrationVersion | None,
    thresholds: Thresholds,
) -> tuple[str, ...]:
    finding = left.finding or right.finding
    limits = [] if finding is None else detector_limits(finding, calibration)
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


def _thumbnail_only(name: str, small: Image.Image) -> str:
    return (
        f"The original of {name} is not kept here: its thumbnail of {small.width} x {small.height} pixels was compared "
        f"instead, which shows no small edits, and places in {name} are given in pixels of it."
    )
