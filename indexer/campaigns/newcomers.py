"""New images join the campaigns that are there, right after an ingest and without a clustering run, which later takes
the place of what is suggested here."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from indexer.answers import SearchOptions
from indexer.campaigns.bindings import bindings
from indexer.campaigns.changes import changes
from indexer.campaigns.decisions.effects import rename_automatically
from indexer.campaigns.evidence import KNOWN_FAKES
from indexer.campaigns.joining import CopyHit, JoiningRule, OriginHit, Suggestion, suggest
from indexer.campaigns.wording import JOINED_REASON
from indexer.catalog import campaign_decisions, campaign_events, campaign_members, campaigns
from indexer.catalog.database import Catalog
from indexer.catalog.records import CampaignMember
from indexer.search import Searcher
from indexer.verdict import Match
from indexer.vocabulary import Relation

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Joined:
    """An image that joined a campaign as `suggested`."""

    sha256: str
    campaign: str
    strength: float
    reasons: tuple[str, ...]


def join_campaigns(
    catalog: Catalog, searcher: Searcher, sha256s: Iterable[str], observe: Callable[[int], None] | None = None
) -> tuple[Joined, ...]:
    """Puts those of these images that are known fakes, in no campaign, and like a member of one, into that campaign.

    What an image joins does not depend on the order of the images. It costs one search an image, and nothing where
    there are no campaigns. Mirrored copies are found by the next run only.

    Args:
        searcher: of the same catalogue; its thresholds say what is alike.
        observe: told how many more images were looked at.

    Raises:
        DejafakeError: catalogue or index cannot be used; the images stay as they were.
    """
    joined: list[Joined] = []
    for some in _blocks(sorted(set(sha256s))):
        found = _suggestions(catalog, searcher, some)
        if found:
            joined += _store(catalog, found)
        if observe is not None:
            observe(len(some))
    return tuple(joined)


def _suggestions(catalog: Catalog, searcher: Searcher, sha256s: Sequence[str]) -> dict[str, Suggestion]:
    with catalog.reading() as session:
        if not campaigns.page(session, limit=1).items:
            return {}
        stored = campaign_members.find(session, sha256s)
        decided = bindings(campaign_decisions.standing(session))
    options, rule = SearchOptions(filter=KNOWN_FAKES), _rule(searcher)
    found = {}
    for sha256, member in stored.items():
        if member.is_fake and member.campaign is None:
            matches = searcher.by_sha256(sha256, options, leave_itself_out=True).matches
            suggestion = _suggestion(matches, decided.barred.get(sha256, {}).keys(), rule)
            if suggestion is not None:
                found[sha256] = suggestion
    return found


def _rule(searcher: Searcher) -> JoiningRule:
    thresholds = searcher.thresholds()
    return JoiningRule(
        min_cosine=1.0 if thresholds.min_cosine is None else thresholds.min_cosine,
        max_bits=thresholds.max_distance,
        trained=thresholds.trained and thresholds.min_cosine is not None,
        origin=thresholds.origin,
    )


def _suggestion(matches: Sequence[Match], barred: Set[str], rule: JoiningRule) -> Suggestion | None:
    """What the matches lead to; members of `barred` campaigns count as members of none."""
    campaign_of: dict[str, str] = {}
    copies, origins = [], []
    for match in matches:
        sha256 = match.image.image.sha256
        for place in match.image.campaigns:
            if place.campaign not in barred:
                campaign_of[sha256] = place.campaign
        held = {score.relation: score.value for score in match.scores if score.holds}
        if Relation.SAME_PICTURE in held:
            copies.append(CopyHit(sha256, int(held[Relation.SAME_PICTURE])))
        if Relation.SAME_ORIGIN in held:
            origins.append(OriginHit(sha256, held[Relation.SAME_ORIGIN]))
    return suggest(campaign_of, rule, copies=copies, origins=origins)


def _store(catalog: Catalog, found: dict[str, Suggestion]) -> list[Joined]:
    """Writes suggestions that still make sense: the image is in no campaign yet, and the campaign is still there."""
    with catalog.writing() as session:
        stored = campaign_members.find(session, sorted(found))
        names = campaigns.names(session)
        joining = {
            sha256: found[sha256]
            for sha256, member in stored.items()
            if member.is_fake and member.campaign is None and found[sha256].campaign_id in names
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
            rename_automatically(session, name)
        after = {name: members.keys() for name, members in campaign_members.of_campaigns(session, concerned).items()}
        campaign_events.add(session, changes(before, after, campaigns.names(session)))
    return [
        Joined(sha256, suggestion.campaign_id, suggestion.strength, suggestion.reasons)
        for sha256, suggestion in sorted(joining.items())
    ]


def _blocks(sha256s: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(sha256s), _AT_ONCE):
        yield sha256s[start : start + _AT_ONCE]
