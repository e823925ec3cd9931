"""Reads times as people, cameras and programs write them, without guessing.

An ambiguous time (02/03/2026, a year of two digits) is refused unless the order of day and month is known; the caller
keeps the text. A time without an offset is taken as UTC.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH_NUMBERS = {name[:size]: at for size in (3, 9) for at, name in enumerate(_MONTHS, 1)} | {"sept": 9}

_WEEKDAY = r"(?:(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?\.?,?\s+)?"
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_CLOCK = (
    r"(?P<hour>\d{1,2})(?::|\s*h\s*)(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?"
)
_ZONE = r"(?:\s*(?P<zone>z|utc|gmt|ut|(?:utc|gmt)?[+-]\d{2}:?\d{2})(?:\s*\([a-z ]+\))?)?"
_TIME = rf"(?:(?:\s*,\s*|\s+at\s+|\s*t\s*|\s+){_CLOCK}{_ZONE})?"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII | re.IGNORECASE)


_YEAR_FIRST = _pattern(rf"(?P<year>\d{{4}})(?P<mark>[-/.:])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_TIME}")
_CHINESE = _pattern(
    rf"(?P<year>\d{{4}})年\s*(?P<month>\d{{1,2}})月\s*(?P<day>\d{{1,2}})日{_TIME.replace('s+)', 's*)')}"
)
_DAY_NAMED = _pattern(
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?:of\s+)?{_MONTH},?[\s-]+(?P<year>\d{{4}}){_TIME}"
)
_MONTH_NAMED = _pattern(rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_TIME}")
_YEAR_LAST = _pattern(rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_CLOCK}{_ZONE}\s+(?P<year>\d{{4}})")
"""The format of asctime and of some platforms' APIs: Wed Aug 27 13:08:45 +0000 2008."""
_NUMERIC = _pattern(
    rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<other>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d{{2}}){_TIME}"
)
_DIGITS = _pattern(r"(?P<whole>\d+)(?:[.,](?P<part>\d+))?")

_UNIX_UNITS: Mapping[int, int] = {9: 1, 10: 1, 13: 10**3, 16: 10**6, 19: 10**9}
"""How many digits a time since 1970 has in each unit, between the years 1973 (2001 for smaller units) and 2286."""
_SERIAL_DAYS = range(36_526, 73_051)
"""Days as Excel counts them, of the years 2000 to 2099."""
_SERIAL_START = datetime(1899, 12, 30, tzinfo=UTC)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class DateOrder(StrEnum):
    """Which number comes first in 02/03/2026."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class AmbiguousTimeError(ValueError):
    """It can be two different days; the order of day and month decides."""


def as_time(text: str, order: DateOrder | None = None) -> datetime:
    """The UTC time that `text` means, if it means one.

    Understood: ISO 8601; EXIF's colons; years first with any separator; names of months in English, RFC 2822 and
    asctime included; day, month and year in numbers when only one order fits, or `order` tells it; Unix time in
    seconds (9 or 10 digits), milli-, micro- and nanoseconds (13, 16 and 19); 20260302 and 20260302093000; days since
    1900 as Excel writes them, of this century. A date alone is its first moment.

    Raises:
        AmbiguousTimeError: day and month may be either way round, or the year has two digits, and `order` is None.
        ValueError: anything else.
    """
    text = " ".join(text.split())
    digits = _DIGITS.fullmatch(text)
    try:
        if digits is not None:
            return _of_digits(digits["whole"], digits["part"] or "")
        for pattern, read in _SPELLINGS:
            match = pattern.fullmatch(text)
            if match is not None:
                return read(match)
        match = _NUMERIC.fullmatch(text)
        if match is not None:
            return _numeric(match, order)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except AmbiguousTimeError:
        raise
    except (ValueError, OverflowError):
        raise ValueError("is not a time that can be read; write it like 2026-11-21T14:30:00+01:00") from None


def no_number(value: object) -> object:
    """Refuse a time given as a number, whose unit a parser would guess; other values pass.

    Raises:
        ValueError: a number, or a text of digits.
    """
    if isinstance(value, (int, float)) or (isinstance(value, str) and _DIGITS.fullmatch(value.strip().lstrip("+-"))):
        raise ValueError("is a number; write times like 2026-11-21T14:30:00+01:00")
    return value


def order_of(text: str) -> DateOrder | None:
    """The only possible order of day and month in a numeric date such as 31/12/2026; None if both are possible."""
    match = _NUMERIC.fullmatch(" ".join(text.split()))
    if match is None or len(match["year"]) != 4:
        return None
    first, other = int(match["first"]), int(match["other"])
    if first > 12 >= other:
        return DateOrder.DAY_FIRST
    return DateOrder.MONTH_FIRST if other > 12 >= first else None


def is_unlikely(moment: datetime, now: datetime) -> bool:
    """Whether the time is implausible for a post: before 1970, or more than a day in the future."""
    return moment < _EARLIEST or (moment > now and moment - now > timedelta(days=1))


def is_days(text: str) -> bool:
    """Whether `as_time` reads this number as a count of days."""
    digits = _DIGITS.fullmatch(text.strip())
    return digits is not None and len(digits["whole"]) == 5


def proven_order(texts: Iterable[str]) -> DateOrder | None:
    """The only order that all numeric dates among `texts` can have; None if none shows it, or they contradict."""
    shown = {order_of(text) for text in texts} - {None}
    return shown.pop() if len(shown) == 1 else None


def _of_digits(whole: str, part: str) -> datetime:
    length = len(whole)
    if length == 5 and int(whole) in _SERIAL_DAYS:
        seconds = round(float(f"0.{part or 0}") * 86_400)
        return _SERIAL_START + timedelta(days=int(whole), seconds=seconds)
    if length in (8, 14) and not part and whole[:2] in ("19", "20"):
        return datetime.strptime(whole.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    unit = _UNIX_UNITS.get(length)
    if unit is None or whole[0] == "0":
        raise ValueError(whole)
    seconds, rest = divmod(int(whole), unit)
    micros = rest * 10**6 // unit if unit > 1 else int((part + "000000")[:6])
    return _EARLIEST + timedelta(seconds=seconds, microseconds=micros)


def _named(match: re.Match[str]) -> datetime:
    return _moment(match, int(match["year"]), _MONTH_NUMBERS.get(match["month"].lower(), 0), int(match["day"]))


def _in_numbers(match: re.Match[str]) -> datetime:
    return _moment(match, int(match["year"]), int(match["month"]), int(match["day"]))


def _numeric(match: re.Match[str], order: DateOrder | None) -> datetime:
    first, other, year = int(match["first"]), int(match["other"]), int(match["year"])
    short = len(match["year"]) == 2
    order = (None if short else order_of(match.string)) or order
    if order is None and (short or first != other):
        raise AmbiguousTimeError(
            "may be two different days; say --dates day-first or --dates month-first, or write it like 2026-11-21"
        )
    day, month = (other, first) if order is DateOrder.MONTH_FIRST else (first, other)
    return _moment(match, year + (1900 if year >= 70 else 2000) if short else year, month, day)


def _moment(match: re.Match[str], year: int, month: int, day: int) -> datetime:
    start = datetime(year, month, day, tzinfo=UTC)
    said = match.groupdict()
    if said["hour"] is None:
        return start
    hour, minute, second = int(said["hour"]), int(said["minute"]), int(said["second"] or 0)
    micros = int((said["fraction"] or "").ljust(6, "0")[:6])
    if said["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(match.string)
        hour = hour % 12 + (12 if said["half"].lower() == "p" else 0)
    if (hour, minute, second, micros) == (24, 0, 0, 0):  # ISO 8601: the end of the day
        return start + timedelta(days=1) - _offset(said["zone"])
    return start.replace(hour=hour, minute=minute, second=second, microsecond=micros) - _offset(said["zone"])


def _offset(zone: str | None) -> timedelta:
    signed = re.search(r"([+-])(\d\d):?(\d\d)", zone or "")
    if signed is None:
        return timedelta()
    size = timedelta(hours=int(signed[2]), minutes=int(signed[3]))
    timezone(size)  # raises ValueError for a day or more
    return -size if signed[1] == "-" else size


_SPELLINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], datetime]], ...] = (
    (_YEAR_FIRST, _in_numbers),
    (_CHINESE, _in_numbers),
    (_DAY_NAMED, _named),
    (_MONTH_NAMED, _named),
    (_YEAR_LAST, _named),
)
