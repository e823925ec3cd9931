"""One clustering run: evidence in, campaigns in the catalogue out, in one transaction at the end.

Evidence is same picture (PDQ, also mirrored; altered copies by verified local features), same recipe (model, seed and
prompt named in the files) and, when the detector is trained, same origin (embeddings; see `cluster`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
from sqlalchemy.orm import Session

from indexer import __version__
from indexer.calibration import OriginMap
from indexer.campaigns.grouping.clustering import Grouping, GroupingRule, group_images
from indexer.campaigns.grouping.evidence import (
    Fake,
    KnownFakes,
    copy_links,
    embedding_cohesion,
    embedding_links,
    hash_cohesion,
    known_fakes,
)
from indexer.campaigns.grouping.graph import LinkKind, Links, cosine_distance, links, members_of, united
from indexer.campaigns.grouping.members import Roles, roles
from indexer.campaigns.grouping.recipes import recipe_links
from indexer.campaigns.grouping.verified import Verified, verified_copies, verified_links
from indexer.campaigns.identity.reconcile import FoundGroup, settle
from indexer.campaigns.reasons import PLACED_REASON, copy_reason, origin_reason, recipe_reason, verified_reason
from indexer.catalog.database import Catalog
from indexer.catalog.detections import calibrations, detectors
from indexer.catalog.records.campaigns import CampaignMember, ClusteringRun, Reason
from indexer.catalog.records.detections import DetectorEntry
from indexer.copies.verification.thumbnails import KnownPairs, Thumbnails
from indexer.detector.spec import DEFAULT_MIN_COSINE
from indexer.index import SearchIndex
from indexer.settings import Settings
from indexer.verdict.thresholds import smallest_cosine
from indexer.vocabulary import Progress, no_progress

METHOD = "HDBSCAN (scikit-learn) over pictures, version 5"


def cluster(
    catalog: Catalog, index: SearchIndex, settings: Settings, *, progress: Progress | None = None
) -> ClusteringRun:
    """Groups the known fakes of the catalogue into campaigns that replace those of the previous run. Ids and given
    names follow the images, and analysts' decisions hold (identity/reconcile.py). If killed before the end, the old
    campaigns remain.

    An untrained detector gives random features. Would a strict bound still find copies that PDQ misses? Measured with
    an untrained one (`python -m benchmarks.copy_campaigns`) on 449 machine-made pictures and eight altered copies of 60
    of them: by PDQ alone 285 images are grouped, none wrongly. With cosines of at least 0.98, 332 are, 16 of them with
    another picture, and more than eight in ten of the cropped, bordered and captioned copies are still missed; with at
    least 0.99, 313 are, 13 of them wrongly. At 0.999 nothing is wrong, and 98 % of those copies are missed. So with
    such a detector only PDQ counts, and the run's parameters and the reports say so. These figures are for an untrained
    detector and version 2 of the method; the bundled detector is trained, and its cosines count from its own bound.

    Args:
        index: the index of the detector whose embeddings are compared.
        progress: called with the step, how much of it is done, and its total.

    Raises:
        CatalogError, VectorIndexError: catalogue or index cannot be used.
    """
    catalog.require_writable()
    tell = progress or no_progress
    started = datetime.now(UTC)
    index.refresh()
    with catalog.reading() as session:
        entries = {entry.fingerprint: entry for entry in detectors.list(session)}
        meaning = _calibration(session, index.fingerprint)
    trained = index.fingerprint in entries and entries[index.fingerprint].trained
    meaning = meaning if trained else None
    described = _described(entries.get(index.fingerprint))
    smallest = smallest_cosine(settings, described, None if meaning is None else meaning.origin)
    rule = GroupingRule(
        min_size=settings.campaign_min_size,
        bound=float(cosine_distance(described if smallest is None else smallest)),
        calibrated=None if meaning is None else meaning.origin.knots,
    )
    snapshot = index.snapshot_id

    fakes = known_fakes(catalog, settings, tell)
    copies = copy_links(fakes, settings, tell)
    verified: Verified = {}
    if settings.local_features:
        verified = verified_copies(fakes, copies, catalog, index, KnownPairs(Thumbnails(settings)), tell)
    near_identical = len(copies)
    copies = united(copies, verified_links(verified))
    alike = links([], [], [])
    if trained and smallest is not None:
        alike = embedding_links(fakes, copies, index, settings, rule.bound, tell)
    tell("grouping", 0, len(fakes))
    recipes = recipe_links(fakes.recipes)
    related = united(alike, recipes)
    grouping = group_images(len(fakes), copies, related, rule)
    member_roles = roles(grouping, copies, related, rule, fakes.columns.pixels)
    tell("grouping", len(fakes), len(fakes))

    findings = _Findings(grouping, member_roles, meaning, verified)
    drafts = []
    groups = members_of(grouping.group_of)
    for done, places in enumerate(groups):
        drafts.append(_draft(places.tolist(), fakes, findings))
        tell("describing campaigns", done + 1, len(groups))

    def measure(members: Sequence[Fake], exemplars: Sequence[Fake]) -> float:
        if trained:
            return embedding_cohesion(index, members, exemplars)
        return hash_cohesion(members, exemplars)

    groups_found = [FoundGroup(draft.members, measure(draft.images, draft.exemplars)) for draft in drafts]
    run = ClusteringRun(
        fingerprint=index.fingerprint,
        parameters=_parameters(settings, rule, fakes, near_identical)
        | {"verified_copy_links": len(verified), "same_recipe_links": len(recipes)}
        | (_embedding_parameters(settings, rule, fakes, alike, smallest, meaning) if trained else UNTRAINED),
        snapshot=snapshot,
        images=len(fakes),
        campaigns=len(drafts),
        noise=int(np.count_nonzero(grouping.group_of < 0)),
        started_at=started,
        finished_at=datetime.now(UTC),
    )
    with catalog.writing() as session:
        return settle(session, run, groups_found, fakes, measure)


@dataclass(frozen=True, slots=True)
class _Calibration:
    """The calibration of cosines, and its version."""

    version: int
    origin: OriginMap


@dataclass(frozen=True, slots=True)
class _Findings:
    """The results of grouping all images. `meaning`: the calibration of cosines, if any; `verified`: altered copies."""

    grouping: Grouping
    roles: Roles
    meaning: _Calibration | None
    verified: Verified


@dataclass(frozen=True, slots=True)
class _Draft:
    """A campaign that has no id, name or cohesion yet. `images` numbers its members, in the order of `members`."""

    images: tuple[Fake, ...]
    members: tuple[CampaignMember, ...]

    @property
    def exemplars(self) -> tuple[Fake, ...]:
        return tuple(fake for fake, member in zip(self.images, self.members, strict=True) if member.exemplar)


def _draft(places: Sequence[int], fakes: KnownFakes, findings: _Findings) -> _Draft:
    return _Draft(
        images=tuple(fakes[number] for number in places),
        members=tuple(
            CampaignMember(
                sha256=fakes.digest(number),
                strength=float(findings.roles.strength[number]),
                exemplar=bool(findings.roles.exemplar[number]),
                reasons=tuple(_reasons(number, fakes, findings)),
            )
            for number in places
        ),
    )


def _reasons(number: int, fakes: KnownFakes, findings: _Findings) -> Iterator[Reason]:
    copy, relative = findings.roles.copy, findings.roles.relative
    other = int(copy.other[number])
    if other >= 0 and copy.kind[number] in (LinkKind.VERIFIED_COPY, LinkKind.VERIFIED_COPY_MIRRORED):
        overlap = findings.verified[min(number, other), max(number, other)]
        yield verified_reason(overlap.inliers, fakes.digest(other), mirrored=overlap.mirrored)
    elif other >= 0:
        mirrored = copy.kind[number] == LinkKind.SAME_PICTURE_MIRRORED
        yield copy_reason(int(copy.distance[number]), fakes.digest(other), mirrored=bool(mirrored))
    other = int(relative.other[number])
    if other >= 0 and relative.kind[number] == LinkKind.SAME_RECIPE:
        yield recipe_reason(fakes.digest(other))
    elif other >= 0:
        cosine = 1.0 - float(relative.distance[number])
        meaning = findings.meaning
        probability = None if meaning is None else meaning.origin.probability(cosine)
        yield origin_reason(cosine, fakes.digest(other), probability)
    if findings.grouping.placed[number]:
        yield PLACED_REASON


def _calibration(session: Session, fingerprint: str) -> _Calibration | None:
    """The newest calibration of the detector's cosines that is not retired."""
    version = calibrations.active_version(session, fingerprint)
    if version is None:
        return None
    origin = calibrations.get(session, fingerprint, version).calibration.same_origin
    return None if origin is None else _Calibration(version, origin)


def _described(entry: DetectorEntry | None) -> float:
    """The minimum cosine stated by the detector."""
    spec = {} if entry is None else entry.spec
    return float(spec.get("same_origin_min_cosine", DEFAULT_MIN_COSINE))


Parameters = dict[str, str | int | float]
UNTRAINED: Parameters = {"embeddings": "not used: the detector is not trained"}
NO_COSINE: Parameters = {
    "embeddings": "not used: the calibration found no cosine that means the same origin",
    "same_origin_links": 0,
}


def _parameters(settings: Settings, rule: GroupingRule, fakes: KnownFakes, near_identical: int) -> Parameters:
    """The parameters the campaigns depend on, recorded for readers and for reproducing the run."""
    return {
        "method": METHOD,
        "dejafake": __version__,
        "scikit_learn": version("scikit-learn"),
        "clustered": "images whose current label is fake",
        "same_picture_max_distance": settings.same_picture_max_distance,
        "pdq_min_quality": settings.pdq_min_quality,
        "same_picture_links": near_identical,
        "images_without_usable_pdq": int(np.count_nonzero(~fakes.comparable)),
        "min_size": rule.min_size,
    }


def _embedding_parameters(
    settings: Settings,
    rule: GroupingRule,
    fakes: KnownFakes,
    alike: Links,
    smallest: float | None,
    meaning: _Calibration | None,
) -> Parameters:
    if smallest is None:
        return NO_COSINE
    return {
        "embeddings": "same origin, uncalibrated"
        if meaning is None
        else f"same origin, weighed by calibration {meaning.version}",
        "same_origin_min_cosine": smallest,
        "same_origin_links": len(alike),
        "neighbours": settings.campaign_neighbours,
        "min_samples": rule.min_samples,
        "stretch": rule.stretch,
        "farthest": rule.farthest,
        "max_cluster_size": rule.max_cluster_size(len(fakes)),
    }
