"""The matches of an answer that are copies of the query, put together by their label.

Copies with different labels stay apart: a person must see that they disagree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from indexer.sightings import Sighting
from indexer.verdict.matches import Match
from indexer.verdict.relations import RelationScore
from indexer.vocabulary import LabelValue, Relation, Technique

_SAME = (Relation.SAME_FILE, Relation.SAME_PICTURE)


@dataclass(frozen=True, slots=True)
class Copies:
    """Known images of the same picture as the query (the same file, within the PDQ distance, or a verified or likely
    copy) that carry one label, strongest match first."""

    label: LabelValue
    technique: Technique
    disputed: bool
    matches: tuple[Match, ...]

    @property
    def same_files(self) -> int:
        """How many are the same file."""
        return sum(match.relation is Relation.SAME_FILE for match in self.matches)

    @property
    def labelled_by(self) -> tuple[str, ...]:
        """Who labelled them."""
        return tuple(sorted({source for match in self.matches if (source := match.image.image.label.source)}))

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """Where and when they were seen."""
        return tuple(sighting for match in self.matches for sighting in match.image.sightings)

    @property
    def seen(self) -> tuple[datetime, datetime] | None:
        """When they were first and last seen; None when no sighting has a date."""
        dates = [sighting.posted_at for sighting in self.sightings if sighting.posted_at is not None]
        return (min(dates), max(dates)) if dates else None

    @property
    def places(self) -> dict[str, tuple[str, ...]]:
        """The platforms, most sightings first, each with its accounts; a sighting without one counts for its host."""
        accounts: dict[str, list[str | None]] = {}
        for sighting in self.sightings:
            if platform := sighting.platform or _host(sighting.url or sighting.archive_url):
                accounts.setdefault(platform, []).append(sighting.account)
        ranked = sorted(accounts, key=lambda platform: (-len(accounts[platform]), platform))
        return {platform: tuple(sorted({name for name in accounts[platform] if name})) for platform in ranked}

    @property
    def campaigns(self) -> dict[str, str]:
        """The campaigns they belong to: id and name."""
        return campaigns_of(self.matches)

    @property
    def distances(self) -> tuple[RelationScore, ...]:
        """Their PDQ distances, of those that PDQ finds, smallest first."""
        scores = (
            score
            for match in self.matches
            for score in match.scores
            if score.measure == "pdq_distance" and (score.holds or match.relation is Relation.SAME_FILE)
        )
        return tuple(sorted(scores, key=lambda score: score.value))


def copies_of(matches: Sequence[Match]) -> tuple[Copies, ...]:
    """The copies among `matches`, by label, in the order of their strongest match."""
    groups: dict[tuple[LabelValue, Technique, bool], list[Match]] = {}
    for match in matches:
        if is_copy(match):
            label = match.image.image.label
            groups.setdefault((label.value, label.technique, label.disputed), []).append(match)
    return tuple(Copies(*key, tuple(group)) for key, group in groups.items())


def is_copy(match: Match) -> bool:
    """Whether a match is the same file, or the same picture."""
    return match.holds and match.relation in _SAME


def campaigns_of(matches: Iterable[Match]) -> dict[str, str]:
    """The campaigns that matches belong to: id and name."""
    return {member.campaign: member.name for match in matches for member in match.image.campaigns}


def _host(url: str | None) -> str | None:
    try:
        return None if url is None else urlsplit(url).hostname
    except ValueError:
        return None
