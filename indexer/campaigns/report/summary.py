"""A report in a few sentences, none of which claims more than the catalogue holds."""

from collections.abc import Iterator
from datetime import datetime

from indexer.campaigns.report.records import CampaignReport
from indexer.campaigns.why import SharedTrait

_MOST_TRAITS = 3
_MOST_PLATFORMS = 4
_LONGEST = 80


def summary_of(report: CampaignReport) -> tuple[str, ...]:
    """The sentences, most important first. Outside text in them is in quotation marks and still has to be escaped."""
    return (
        _what(report),
        _when(report),
        *_where(report),
        *_news(report),
        *_traits(report),
        *_closeness(report),
        f"This group was {report.standing.state}."
        if not report.standing.confirmed
        else f"An analyst concluded that this is one group: {report.standing.state}.",
    )


def _what(report: CampaignReport) -> str:
    why, size = report.why, report.campaign.size
    of = "" if why.compared == size else f" (counted among the first {why.compared:,})"
    if why.pictures == 1:
        return f"The group holds {_many(size, 'known fake')}, all of them copies of one picture{of}."
    if why.pictures == why.compared:
        return f"The group holds {_many(size, 'known fake')}, each a different picture{of}."
    return f"The group holds {_many(size, 'known fake')}: {why.pictures:,} different pictures and their copies{of}."


def _when(report: CampaignReport) -> str:
    spread = report.spread
    if spread.sightings == 0:
        return "No sighting of them is recorded."
    if spread.first_seen is None or spread.last_seen is None:
        return f"{_many(spread.sightings, 'sighting')} recorded, none with a date."
    first, last = _day(spread.first_seen), _day(spread.last_seen)
    span = f"on {first}" if first == last else f"from {first} to {last}"
    undated = f"; {spread.undated:,} more carry no date" if spread.undated else ""
    peak = ""
    if first != last and spread.on_busiest_day > 1:
        peak = f", most on {spread.busiest_day:%Y-%m-%d} ({spread.on_busiest_day:,})"
    dated = _many(spread.sightings - spread.undated, "dated sighting")
    return f"{dated} known to this catalogue, {span}{peak}{undated}."


def _where(report: CampaignReport) -> Iterator[str]:
    if not report.platforms:
        return
    named = ", ".join(
        f"{_quoted(platform.value)} ({platform.count:,})" for platform in report.platforms[:_MOST_PLATFORMS]
    )
    more = len(report.platforms) - _MOST_PLATFORMS
    first = report.spread.platforms
    earliest = f" The earliest dated sighting is on {_quoted(first[0].platform)}." if len(first) > 1 else ""
    yield f"Seen on {named}{f' and {more:,} more' if more > 0 else ''}.{earliest}"


def _news(report: CampaignReport) -> Iterator[str]:
    news = report.news
    if news is None:
        return
    since = _day(news.since)
    if news.new_campaign:
        yield f"The group was found after {since}."
    elif news.anything:
        sentence = f"{_many(news.images, 'image')} with something new, {_many(news.sightings, 'new sighting')}"
        places = f", for the first time on {', '.join(map(_quoted, news.platforms))}" if news.platforms else ""
        yield f"Since {since}: {sentence}{places}."
    else:
        yield f"Nothing new since {since}."


def _traits(report: CampaignReport) -> Iterator[str]:
    over_represented = [trait for trait in report.traits if trait.over_represented]
    if over_represented:
        described = "; ".join(map(_trait, over_represented[:_MOST_TRAITS]))
        yield f"More common here than among the other known fakes of the catalogue: {described}."


def _trait(trait: SharedTrait) -> str:
    what = trait.trait.value.replace("_", " ")
    return (
        f"{what} {_quoted(trait.value)} ({trait.images:,} of {trait.of:,} images, "
        f"elsewhere {trait.elsewhere:,} of {trait.of_elsewhere:,})"
    )


def _closeness(report: CampaignReport) -> Iterator[str]:
    close = report.why.closeness
    if close.cohesion is None:
        return
    by = "cosine of embeddings" if close.measure == "cosine" else "equal PDQ bits, from -1 to 1"
    apart = "" if close.to_others is None else f"; the nearest other campaign is at {close.to_others:.2f}"
    yield (
        f"Images lie at {close.cohesion:.2f} on average from the nearest exemplar, the farthest at "
        f"{close.cohesion_lowest:.2f}{apart} ({by}; 1 is identical)."
    )


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _day(time: datetime) -> str:
    return time.date().isoformat()


def _quoted(text: str) -> str:
    return f"“{text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}”"
