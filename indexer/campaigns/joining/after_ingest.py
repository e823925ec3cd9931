"""New images join existing campaigns right after an ingest, without a clustering run; the next run replaces these
suggestions. The catalogue records which images are waiting, so a killed process misses none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.arrays import Vector
from indexer.campaigns.grouping.evidence import COMPARABLE_FAKES, KNOWN_FAKES
from indexer.campaigns.grouping.verified import verified_for
from indexer.campaigns.identity.bindings import bindings
from indexer.campaigns.identity.changes import changes
from indexer.campaigns.joining.suggestions import CopyHit, JoiningRule, OriginHit, Suggestion, suggest
from indexer.campaigns.reasons import JOINED_REASON
from indexer.catalog.campaigns import awaiting as awaiting_campaign
from indexer.catalog.campaigns import campaigns
from indexer.catalog.campaigns import decisions as campaign_decisions
from indexer.catalog.campaigns import events as campaign_events
from indexer.catalog.campaigns import members as campaign_members
from indexer.catalog.database import Catalog
from indexer.catalog.records.campaigns import CampaignMember, Reason, StoredMember
from indexer.catalog.records.watches import Arrival
from indexer.catalog.watches import arrivals as watch_arrivals
from indexer.copies.verification.thumbnails import KnownPairs, Thumbnails
from indexer.imaging.content import has_too_little
from indexer.imaging.hashing import UPRIGHT, QueryHash
from indexer.index import SearchIndex
from indexer.verdict import relations
from indexer.verdict.relations import RelationScore
from indexer.verdict.thresholds import Thresholds

_AT_ONCE = 64
_NEIGHBOURS = 32
"""Nearest known fakes by embedding, and most copies, that are looked at for each new image."""


@dataclass(frozen=True, slots=True)
class Joined:
    """An image that joined a campaign as `suggested`."""

    sha256: str
    campaign: str
    strength: float
    reasons: tuple[Reason, ...]


def waiting(catalog: Catalog) -> int:
    """How many added images have not been checked yet."""
    with catalog.reading() as session:
        return awaiting_campaign.count(session)


def join_campaigns(
    catalog: Catalog,
    index: SearchIndex,
    thumbnails: Thumbnails,
    thresholds: Thresholds,
    observe: Callable[[int], None] | None = None,
    *,
    most: int | None = None,
) -> tuple[Joined, ...]:
    """Takes the waiting images that are known fakes in no campaign, and adds those similar to a campaign's member to
    that campaign. Each image is checked once, newest first; if killed, the next call continues. Costs two searches per
    64 images, none when there are no campaigns, and the comparison of each image's local features and thumbnail with
    those of a few known fakes. Mirrored copies that PDQ finds are found by the next clustering run.

    Args:
        index: the index of the same catalogue.
        thumbnails: of its images.
        thresholds: what counts as similar.
        observe: called with the number of images just checked.
        most: check at most this many; None for all.

    Raises:
        DejafakeError: catalogue or index cannot be used; images not checked yet keep waiting.
    """
    joined: list[Joined] = []
    pairs = KnownPairs(thumbnails)
    left = most
    while left is None or left > 0:
        with catalog.reading() as session:
            image_ids = awaiting_campaign.newest(session, _AT_ONCE if left is None else min(left, _AT_ONCE))
        if not image_ids:
            break
        joined += _store(catalog, image_ids, _suggestions(catalog, index, pairs, thresholds, image_ids))
        left = None if left is None else left - len(image_ids)
        if observe is not None:
            observe(len(image_ids))
    return tuple(joined)


def _suggestions(
    catalog: Catalog, index: SearchIndex, pairs: KnownPairs, thresholds: Thresholds, image_ids: Sequence[int]
) -> dict[str, Suggestion]:
    with catalog.reading() as session:
        if not campaigns.page(session, limit=1).items:
            return {}
        images = watch_arrivals.images(session, image_ids)
        stored = campaign_members.find(session, [image.sha256 for image in images])
        decided = bindings(campaign_decisions.standing(session))
    homeless = [image for image in images if _may_join(image, stored[image.sha256])]
    if not homeless:
        return {}
    index.refresh()
    near = _near(index, thresholds, homeless)
    verified = verified_for(catalog, index, pairs, [image.id for image in homeless])
    for image_id, overlaps in verified.items():
        near[image_id].update(overlaps)
    with catalog.reading() as session:
        ids = set().union(*near.values())
        ids -= awaiting_campaign.among(
            session, ids
        )  # nobody has decided about them: they speak for no campaign, nor against
        others = {image.id: image for image in watch_arrivals.images(session, ids)}
        members = campaign_members.find(session, [image.sha256 for image in others.values()])
    vectors = index.vectors_of([*(image.id for image in homeless), *others])
    suggestions = {}
    for image in homeless:
        barred = decided.barred.get(image.sha256, {}).keys()
        campaign_of = {
            sha256: member.campaign
            for sha256, member in members.items()
            if member.campaign is not None and member.campaign not in barred
        }
        copies, origins = [], []
        for other in (others[image_id] for image_id in sorted(near[image.id]) if image_id in others):
            picture, origin = _scores(image, other, vectors, thresholds)
            overlap = verified.get(image.id, {}).get(other.id)
            if picture.holds:
                copies.append(CopyHit(other.sha256, int(picture.value)))
            elif overlap is not None:
                copies.append(CopyHit(other.sha256, 0, mirrored=overlap.mirrored, inliers=overlap.inliers))
            if origin is not None and origin.holds:
                origins.append(OriginHit(other.sha256, origin.value))
        suggestion = suggest(campaign_of, _rule(thresholds), copies=copies, origins=origins)
        if suggestion is not None:
            suggestions[image.sha256] = suggestion
    return suggestions


def _may_join(image: Arrival, member: StoredMember) -> bool:
    return member.is_fake and member.campaign is None and not has_too_little(image.content, image.pdq_quality)


def _near(index: SearchIndex, thresholds: Thresholds, images: Sequence[Arrival]) -> dict[int, set[int]]:
    """Known fakes that may be linked to each image, by internal id: one hash search and one embedding search for all
    images.
    """
    near: dict[int, set[int]] = {image.id: set() for image in images}
    for hit in index.same_picture([image.pdq for image in images], thresholds.max_distance, KNOWN_FAKES):
        mine = near[images[hit.query_index].id]
        if len(mine) <= _NEIGHBOURS:
            mine.add(hit.image_id)
    vectors = index.vectors_of([image.id for image in images]) if thresholds.trained else {}
    if vectors:
        hits = index.nearest(np.stack([*vectors.values()]), _NEIGHBOURS + 1, COMPARABLE_FAKES)
        for image_id, others in zip(vectors, hits.ids.tolist(), strict=True):
            near[image_id].update(other for other in others if other >= 0)
    for image_id, others in near.items():
        others.discard(image_id)
    return near


def _scores(
    image: Arrival, other: Arrival, vectors: Mapping[int, Vector], thresholds: Thresholds
) -> tuple[RelationScore, RelationScore | None]:
    """Scores a new image against a known fake by the same rules as a search: as a picture, and by origin where both
    have an embedding.
    """
    blank = has_too_little(other.content, other.pdq_quality)
    quality = 0 if blank else other.pdq_quality
    picture = relations.same_picture([QueryHash(UPRIGHT, image.pdq)], image.pdq_quality, other.pdq, quality, thresholds)
    if image.id not in vectors or other.id not in vectors:
        return picture, None
    tells = not blank and relations.embeddings_tell((image.content, other.content), picture.value)
    return picture, relations.same_origin(vectors[image.id], vectors[other.id], thresholds, tells=tells)


def _rule(thresholds: Thresholds) -> JoiningRule:
    return JoiningRule(
        min_cosine=1.0 if thresholds.min_cosine is None else thresholds.min_cosine,
        max_bits=thresholds.max_distance,
        trained=thresholds.trained and thresholds.min_cosine is not None,
        origin=thresholds.origin,
    )


def _store(catalog: Catalog, looked_at: Sequence[int], suggestions: Mapping[str, Suggestion]) -> list[Joined]:
    """Stores the suggestions that are still valid: the image is in no campaign and the campaign still exists. In the
    same transaction the checked images stop waiting.
    """
    with catalog.writing() as session:
        awaiting_campaign.done(session, looked_at)
        stored = campaign_members.find(session, sorted(suggestions))
        names = campaigns.names(session)
        joining = {
            sha256: suggestions[sha256]
            for sha256, member in stored.items()
            if member.is_fake and member.campaign is None and suggestions[sha256].campaign_id in names
        }
        concerned = sorted({suggestion.campaign_id for suggestion in joining.values()})
        before = {name: members.keys() for name, members in campaign_members.of_campaigns(session, concerned).items()}
        for name in concerned:
            members = {
                stored[sha256].image_id: CampaignMember(
                    sha256, suggestion.strength, False, (*suggestion.reasons, JOINED_REASON)
                )
                for sha256, suggestion in joining.items()
                if suggestion.campaign_id == name
            }
            campaign_members.put(session, name, members)
            campaign_members.tidy(session, name)
        after = {name: members.keys() for name, members in campaign_members.of_campaigns(session, concerned).items()}
        campaign_events.add(session, changes(before, after, campaigns.names(session)))
    return [
        Joined(sha256, suggestion.campaign_id, suggestion.strength, suggestion.reasons)
        for sha256, suggestion in sorted(joining.items())
    ]
