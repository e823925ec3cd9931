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
from indexer.campaigns.clustering import Grouping, GroupingRule, group_images
from indexer.campaigns.evidence import (
    Copies,
    Fake,
    Progress,
    copy_links,
    embedding_cohesion,
    embedding_links,
    hash_cohesion,
    known_fakes,
)
from indexer.campaigns.graph import Links, cosine_distance, links, members_of
from indexer.campaigns.identity import settle_ids
from indexer.campaigns.members import Roles, roles
from indexer.campaigns.recipes import merged, recipe_links
from indexer.campaigns.wording import (
    PLACED_REASON,
    automatic_name,
    is_automatic,
    same_origin_reason,
    same_picture_reason,
    same_recipe_reason,
)
from indexer.catalog import campaigns, detectors
from indexer.catalog.database import Catalog
from indexer.catalog.records import CampaignMember, ClusteringRun, DetectorEntry, NewCampaign
from indexer.detector.spec import DEFAULT_MIN_COSINE
from indexer.index import SearchIndex
from indexer.settings import Settings

METHOD = "HDBSCAN (scikit-learn) over pictures, version 2"


def cluster(
    catalog: Catalog, index: SearchIndex, settings: Settings, *, progress: Progress | None = None
) -> ClusteringRun:
    """Groups the known fakes of the catalogue into campaigns, in the place of those of the run before.

    Ids and names given by people go on where the images do. Killed before the end, the old campaigns stand.

    An untrained detector gives random features. Would a strict bound still find copies that PDQ misses? Measured with
    an untrained one (`python -m benchmarks.copy_campaigns`) on 449 machine-made pictures and eight altered copies of 60
    of them: by PDQ alone 285 images are grouped, none wrongly. With cosines of at least .98 332 are, 16 of them with
    another picture, and more than eight in ten of the cropped, bordered and captioned copies are still missed; of at
    least .99 313, 13 wrongly. At .999 nothing is wrong, and 98 % of those copies are missed. So with such a detector
    only PDQ counts, and the run's parameters and the reports say so.

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
    trained = index.fingerprint in entries and entries[index.fingerprint].trained
    smallest = _min_cosine(entries.get(index.fingerprint), settings)
    bound = float(cosine_distance(smallest))
    rule = GroupingRule(min_size=settings.campaign_min_size, bound=bound)
    snapshot = index.snapshot_id

    fakes = known_fakes(catalog, settings, tell)
    copies = copy_links(fakes, index, settings, tell)
    alike = embedding_links(fakes, copies, index, settings, tell) if trained else links([], [], [])
    tell("grouping", 0, len(fakes))
    recipes = recipe_links([fake.recipe for fake in fakes])
    related = merged(alike, recipes)
    grouping = group_images(len(fakes), copies.links, related, rule)
    found = roles(grouping, copies.links, related, rule, np.array([fake.pixels for fake in fakes], np.int64))
    tell("grouping", len(fakes), len(fakes))

    same_recipe = frozenset(zip(recipes.first.tolist(), recipes.second.tolist(), strict=True))
    findings = _Findings(grouping, found, copies, same_recipe)
    drafts = []
    groups = members_of(grouping.group_of)
    for done, places in enumerate(groups):
        drafts.append(_draft(places.tolist(), fakes, findings))
        tell("describing campaigns", done + 1, len(groups))
    cohesions = [
        embedding_cohesion(catalog, index.fingerprint, draft.images, draft.exemplars)
        if trained
        else hash_cohesion(draft.images, draft.exemplars)
        for draft in drafts
    ]
    run = ClusteringRun(
        fingerprint=index.fingerprint,
        parameters=_parameters(settings, rule, fakes, copies, alike, trained, smallest)
        | {"same_recipe_links": len(recipes)},
        snapshot=snapshot,
        images=len(fakes),
        campaigns=len(drafts),
        noise=int(np.count_nonzero(grouping.group_of < 0)),
        started_at=started,
        finished_at=datetime.now(UTC),
    )
    with catalog.writing() as session:
        settled = _settled(session, drafts, cohesions, fakes)
        campaigns.save(session, run, settled)
    return run


@dataclass(frozen=True, slots=True)
class _Findings:
    """What is known of all images once they are grouped. `same_recipe` holds the pairs linked by their recipes."""

    grouping: Grouping
    roles: Roles
    copies: Copies
    same_recipe: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A campaign without id, name and cohesion. `images` numbers its members, in the order of `members`."""

    images: tuple[Fake, ...]
    members: tuple[CampaignMember, ...]

    @property
    def exemplars(self) -> tuple[Fake, ...]:
        return tuple(fake for fake, member in zip(self.images, self.members, strict=True) if member.exemplar)


def _draft(places: Sequence[int], fakes: Sequence[Fake], findings: _Findings) -> _Draft:
    return _Draft(
        images=tuple(fakes[place] for place in places),
        members=tuple(
            CampaignMember(
                sha256=fakes[place].sha256,
                strength=float(findings.roles.strength[place]),
                exemplar=bool(findings.roles.exemplar[place]),
                reasons=tuple(_reasons(place, fakes, findings)),
            )
            for place in places
        ),
    )


def _reasons(place: int, fakes: Sequence[Fake], findings: _Findings) -> Iterator[str]:
    copy, relative = findings.roles.copy, findings.roles.relative
    other = int(copy.other[place])
    if other >= 0:
        mirrored = (min(place, other), max(place, other)) in findings.copies.mirrored
        yield same_picture_reason(int(copy.distance[place]), fakes[other].sha256, mirrored=mirrored)
    other = int(relative.other[place])
    if other >= 0 and (min(place, other), max(place, other)) in findings.same_recipe:
        yield same_recipe_reason(fakes[other].sha256)
    elif other >= 0:
        yield same_origin_reason(1.0 - float(relative.distance[place]), fakes[other].sha256)
    if findings.grouping.placed[place]:
        yield PLACED_REASON


def _settled(
    session: Session, drafts: Sequence[_Draft], cohesions: Sequence[float], fakes: Sequence[Fake]
) -> list[NewCampaign]:
    """The drafts with the ids and names that go on from the campaigns now in the catalogue."""
    known = {fake.image_id: fake.sha256 for fake in fakes}
    before = {
        name: frozenset(known.get(image_id, f"no longer a known fake: {image_id}") for image_id in image_ids.tolist())
        for name, image_ids in campaigns.current_members(session).items()
    }
    ids = settle_ids([[member.sha256 for member in draft.members] for draft in drafts], before)
    settled = []
    for campaign_id, draft, together in zip(ids, drafts, cohesions, strict=True):
        earlier = campaigns.get(session, campaign_id)
        dated = [fake.first_seen for fake in draft.images if fake.first_seen is not None]
        name = automatic_name(len(draft.members), min(dated, default=None))
        if earlier is not None and not is_automatic(earlier.name):
            name = earlier.name
        pairs = [(fake.image_id, member) for fake, member in zip(draft.images, draft.members, strict=True)]
        settled.append(NewCampaign(id=campaign_id, name=name, cohesion=together, members=pairs))
    return settled


def _min_cosine(entry: DetectorEntry | None, settings: Settings) -> float:
    """Smallest cosine that counts as the same origin: the setting's, else the detector's own."""
    if settings.same_origin_min_cosine is not None:
        return settings.same_origin_min_cosine
    described = {} if entry is None else entry.spec
    return float(described.get("same_origin_min_cosine", DEFAULT_MIN_COSINE))


def _parameters(
    settings: Settings,
    rule: GroupingRule,
    fakes: Sequence[Fake],
    copies: Copies,
    alike: Links,
    trained: bool,
    smallest: float,
) -> dict[str, str | int | float]:
    """What the campaigns depend on, for people and for a second run that must give the same."""
    shared: dict[str, str | int | float] = {
        "method": METHOD,
        "dejafake": __version__,
        "scikit_learn": version("scikit-learn"),
        "clustered": "images whose current label is fake",
        "same_picture_max_distance": settings.same_picture_max_distance,
        "pdq_min_quality": settings.pdq_min_quality,
        "same_picture_links": len(copies.links),
        "images_without_usable_pdq": sum(fake.pdq is None for fake in fakes),
        "min_size": rule.min_size,
    }
    if not trained:
        return {**shared, "embeddings": "not used: the detector is not trained"}
    return {
        **shared,
        "embeddings": "same origin, uncalibrated",
        "same_origin_min_cosine": smallest,
        "same_origin_links": int(np.count_nonzero(alike.distance <= rule.bound)),
        "neighbours": settings.campaign_neighbours,
        "min_samples": rule.min_samples,
        "max_cluster_size": rule.max_cluster_size(len(fakes)),
    }


def _silent(_step: str, _done: int, _total: int) -> None: ...
