"""One clustering run: evidence in, campaigns in the catalogue out, in one transaction at the end.

Evidence is same picture (PDQ, also mirrored), same recipe (model, seed and prompt that files name) and, when the
detector is trained, same origin (embeddings). An untrained detector's embeddings are not used, not even with a strict
bound: `cluster` says why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
from sqlalchemy.orm import Session

from indexer import __version__
from indexer.calibration import OriginMap
from indexer.campaigns.clustering import Grouping, GroupingRule, group_images
from indexer.campaigns.evidence import (
    Fake,
    KnownFakes,
    Progress,
    copy_links,
    embedding_cohesion,
    embedding_links,
    hash_cohesion,
    known_fakes,
)
from indexer.campaigns.graph import LinkKind, Links, cosine_distance, links, members_of, united
from indexer.campaigns.members import Roles, roles
from indexer.campaigns.recipes import recipe_links
from indexer.campaigns.settling import FoundGroup, settle
from indexer.campaigns.wording import (
    PLACED_REASON,
    same_origin_reason,
    same_picture_reason,
    same_recipe_reason,
)
from indexer.catalog import calibrations, detectors
from indexer.catalog.database import Catalog
from indexer.catalog.records import CampaignMember, ClusteringRun, DetectorEntry
from indexer.detector.spec import DEFAULT_MIN_COSINE
from indexer.index import SearchIndex
from indexer.settings import Settings

METHOD = "HDBSCAN (scikit-learn) over pictures, version 4"


def cluster(
    catalog: Catalog, index: SearchIndex, settings: Settings, *, progress: Progress | None = None
) -> ClusteringRun:
    """Groups the known fakes of the catalogue into campaigns, in the place of those of the run before.

    Ids and names given by people go on where the images do, and what analysts decided holds (settling.py). Killed
    before the end, the old campaigns stand.

    An untrained detector gives random features. Would a strict bound still find copies that PDQ misses? Measured with
    an untrained one (`python -m benchmarks.copy_campaigns`) on 449 machine-made pictures and eight altered copies of 60
    of them: by PDQ alone 285 images are grouped, none wrongly. With cosines of at least .98 332 are, 16 of them with
    another picture, and more than eight in ten of the cropped, bordered and captioned copies are still missed; of at
    least .99 313, 13 wrongly. At .999 nothing is wrong, and 98 % of those copies are missed. So with such a detector
    only PDQ counts, and the run's parameters and the reports say so. These figures are of an untrained detector and of
    version 2 of the method; the bundled detector is trained, and its cosines count from its own bound on.

    Args:
        index: of the detector whose embeddings are compared.
        progress: told the step, how much of it is done, and how much there is.

    Raises:
        CatalogError, VectorIndexError: catalogue or index cannot be used.
    """
    tell = progress or _silent
    started = datetime.now(UTC)
    index.refresh()
    with catalog.reading() as session:
        entries = {entry.fingerprint: entry for entry in detectors.list(session)}
        meaning = _calibration(session, index.fingerprint)
    trained = index.fingerprint in entries and entries[index.fingerprint].trained
    meaning = meaning if trained else None
    smallest = _min_cosine(entries.get(index.fingerprint), meaning, settings)
    rule = GroupingRule(
        min_size=settings.campaign_min_size,
        bound=float(cosine_distance(smallest)),
        calibrated=None if meaning is None else meaning.origin.knots,
    )
    snapshot = index.snapshot_id

    fakes = known_fakes(catalog, settings, tell)
    copies = copy_links(fakes, settings, tell)
    alike = embedding_links(fakes, copies, index, settings, rule.bound, tell) if trained else links([], [], [])
    tell("grouping", 0, len(fakes))
    recipes = recipe_links(fakes.recipes)
    related = united(alike, recipes)
    grouping = group_images(len(fakes), copies, related, rule)
    found = roles(grouping, copies, related, rule, fakes.columns.pixels)
    tell("grouping", len(fakes), len(fakes))

    findings = _Findings(grouping, found, meaning)
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
        parameters=_parameters(settings, rule, fakes, copies)
        | {"same_recipe_links": len(recipes)}
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
    """What a cosine means, by a version of the calibration."""

    version: int
    origin: OriginMap


@dataclass(frozen=True, slots=True)
class _Findings:
    """What is known of all images once they are grouped. `meaning`: of cosines, None without a calibration."""

    grouping: Grouping
    roles: Roles
    meaning: _Calibration | None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A campaign without id, name and cohesion. `images` numbers its members, in the order of `members`."""

    images: tuple[Fake, ...]
    members: tuple[CampaignMember, ...]

    @property
    def exemplars(self) -> tuple[Fake, ...]:
        return tuple(fake for fake, member in zip(self.images, self.members, strict=True) if member.exemplar)


def _draft(places: Sequence[int], fakes: KnownFakes, findings: _Findings) -> _Draft:
    return _Draft(
        images=tuple(fakes[place] for place in places),
        members=tuple(
            CampaignMember(
                sha256=fakes.digest(place),
                strength=float(findings.roles.strength[place]),
                exemplar=bool(findings.roles.exemplar[place]),
                reasons=tuple(_reasons(place, fakes, findings)),
            )
            for place in places
        ),
    )


def _reasons(place: int, fakes: KnownFakes, findings: _Findings) -> Iterator[str]:
    copy, relative = findings.roles.copy, findings.roles.relative
    other = int(copy.other[place])
    if other >= 0:
        mirrored = copy.kind[place] == LinkKind.SAME_PICTURE_MIRRORED
        yield same_picture_reason(int(copy.distance[place]), fakes.digest(other), mirrored=bool(mirrored))
    other = int(relative.other[place])
    if other >= 0 and relative.kind[place] == LinkKind.SAME_RECIPE:
        yield same_recipe_reason(fakes.digest(other))
    elif other >= 0:
        cosine = 1.0 - float(relative.distance[place])
        meaning = findings.meaning
        probability = None if meaning is None else meaning.origin.probability(cosine)
        yield same_origin_reason(cosine, fakes.digest(other), probability)
    if findings.grouping.placed[place]:
        yield PLACED_REASON


def _calibration(session: Session, fingerprint: str) -> _Calibration | None:
    """The newest calibration of the detector's cosines that is not retired."""
    version = calibrations.active_version(session, fingerprint)
    if version is None:
        return None
    origin = calibrations.get(session, fingerprint, version).calibration.same_origin
    return None if origin is None else _Calibration(version, origin)


def _min_cosine(entry: DetectorEntry | None, meaning: _Calibration | None, settings: Settings) -> float:
    """Smallest cosine that counts as the same origin: the setting's, else what the calibration says for suggested
    pairs, else the detector's own."""
    if settings.same_origin_min_cosine is not None:
        return settings.same_origin_min_cosine
    if meaning is not None and meaning.origin.suggested is not None:
        return meaning.origin.suggested.min_cosine
    described = {} if entry is None else entry.spec
    return float(described.get("same_origin_min_cosine", DEFAULT_MIN_COSINE))


Parameters = dict[str, str | int | float]
UNTRAINED: Parameters = {"embeddings": "not used: the detector is not trained"}


def _parameters(settings: Settings, rule: GroupingRule, fakes: KnownFakes, copies: Links) -> Parameters:
    """What the campaigns depend on, for people and for a second run that must give the same."""
    return {
        "method": METHOD,
        "dejafake": __version__,
        "scikit_learn": version("scikit-learn"),
        "clustered": "images whose current label is fake",
        "same_picture_max_distance": settings.same_picture_max_distance,
        "pdq_min_quality": settings.pdq_min_quality,
        "same_picture_links": len(copies),
        "images_without_usable_pdq": int(np.count_nonzero(~fakes.comparable)),
        "min_size": rule.min_size,
    }


def _embedding_parameters(
    settings: Settings,
    rule: GroupingRule,
    fakes: KnownFakes,
    alike: Links,
    smallest: float,
    meaning: _Calibration | None,
) -> Parameters:
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


def _silent(_step: str, _done: int, _total: int) -> None: ...
