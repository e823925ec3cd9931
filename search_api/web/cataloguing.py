"""What the page of images shows beside its pictures: facets as links, and the months of sightings as bars."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from indexer.catalog.records.facets import Facet, FacetCounts, MonthCount
from search_api.web.language import N_

VIEW: Final = frozenset({"sort", "like", "density"})
"""What of the address says how images are shown, not which."""
CONDITIONS: Final = {
    "label": N_("Label"),
    "technique": N_("How it was made"),
    "generator": N_("Program or model"),
    "platform": N_("Platform"),
    "account": N_("Account"),
    "collections": N_("Collection"),
    "campaign": N_("Campaign"),
    "membership": N_("Decided on"),
    "disputed": N_("Disputed"),
    "label_source": N_("Labelled by"),
    "made_with": N_("Made with, by its file"),
    "c2pa_state": N_("C2PA manifest"),
    "posted_from": N_("Seen from"),
    "posted_to": N_("Seen before"),
}
"""The conditions that the page offers, with their words; the address takes all of `GET /v1/images`."""
WORDS: Final = {
    "label": {"fake": N_("fake"), "authentic": N_("authentic"), "unknown": N_("not labelled")},
    "disputed": {"true": N_("labels contradict each other"), "false": N_("no contradiction")},
    "membership": {"suggested": N_("undecided: suggested for a campaign"), "confirmed": N_("confirmed in a campaign")},
    "c2pa_state": {
        "trusted": N_("signer trusted"),
        "valid": N_("unchanged, signer unknown"),
        "invalid": N_("does not hold"),
    },
}
"""The words of values that are of a vocabulary of ours."""
_MONTHS: Final = 180
_HEIGHT: Final = 48


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet on the page. `name` is text from outside; `words` are of `WORDS`, to be translated."""

    words: str | None
    name: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ShownFacet:
    """A facet on the page; `more`: how many further values there are."""

    field: str
    title: str
    choices: tuple[Choice, ...]
    more: int
    open: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A month of the chart; `x`, `y` and `height` are in the units of its drawing. `end` is the day after its last."""

    start: date
    end: date
    images: int
    x: int
    y: float
    height: float
    chosen: bool
    address: str


def address(given: Mapping[str, str]) -> str:
    """The address of the page with these conditions."""
    return f"/images?{urlencode(given)}" if given else "/images"


def shown_facets(counts: FacetCounts, given: Mapping[str, str]) -> Iterator[ShownFacet]:
    """The facets that hold anything."""
    for facet in counts.facets:
        choices = tuple(_choices(facet, given))
        if not choices or (facet.field == "disputed" and all(choice.name == "false" for choice in choices)):
            continue
        yield ShownFacet(
            facet.field,
            CONDITIONS[facet.field],
            choices,
            more=max(0, facet.distinct - sum(value.images > 0 for value in facet.values)),
            open=facet.field in given or facet.field in _OPEN,
        )


_OPEN: Final = frozenset({"label", "disputed", "membership", "technique", "platform"})


def _choices(facet: Facet, given: Mapping[str, str]) -> Iterator[Choice]:
    words = WORDS.get(facet.field, {})
    chosen_value = given.get(facet.field, "").strip()
    if facet.field == "made_with":
        chosen_value = chosen_value.casefold()
    for value in facet.values:
        chosen = value.value == chosen_value
        other = {name: said for name, said in given.items() if name != facet.field}
        yield Choice(
            words.get(value.value),
            value.name or value.value,
            value.images,
            address(other if chosen else {**other, facet.field: value.value}),
            chosen,
        )


def bars(months: Sequence[MonthCount], given: Mapping[str, str]) -> tuple[Bar, ...]:
    """The last months with sightings, those between them without any included."""
    if not months:
        return ()
    counts = {_number(month.month): month.images for month in months}
    last = max(counts)
    first = max(min(counts), last - _MONTHS + 1)
    most = max(counts.get(number, 0) for number in range(first, last + 1))
    return tuple(
        _bar(number, counts.get(number, 0), most, 10 * at, given) for at, number in enumerate(range(first, last + 1))
    )


def _bar(number: int, images: int, most: int, x: int, given: Mapping[str, str]) -> Bar:
    start, end = _first_day(number), _first_day(number + 1)
    height = round(_HEIGHT * images / most, 1) if images else 0.0
    limits = {"posted_from": start.isoformat(), "posted_to": end.isoformat()}
    lower, upper = given.get("posted_from", "")[:10], given.get("posted_to", "")[:10]
    chosen = bool(lower or upper) and lower < end.isoformat() and (not upper or start.isoformat() < upper)
    return Bar(start, end, images, x, _HEIGHT - height, height, chosen, address({**given, **limits}))


def _number(month: str) -> int:
    year, _, of_year = month.partition("-")
    return 12 * int(year) + int(of_year) - 1


def _first_day(number: int) -> date:
    year, month = divmod(number, 12)
    return date(min(year, 9999), month + 1, 1)
