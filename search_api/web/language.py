"""The language of a page: gettext catalogues, and which one a request is answered in."""

from collections.abc import Mapping
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from starlette.requests import HTTPConnection

LOCALE_DIR: Final = Path(__file__).parent / "locale"
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "ar": "العربية"}
"""Every language there is a catalogue of, with its name for itself. English is what the sources say."""
RIGHT_TO_LEFT: Final = frozenset({"ar"})
DEFAULT: Final = "en"
COOKIE: Final = "dejafake_language"


def N_(text: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Marks a text for the catalogues that a template translates later."""
    return text


def catalogue(language: str) -> NullTranslations:
    """The translations of one of `LANGUAGES`; for English, the texts as written."""
    whole = NullTranslations()
    if language != DEFAULT:
        for path in sorted((LOCALE_DIR / language / "LC_MESSAGES").glob("*.mo")):
            with path.open("rb") as file:
                part = GNUTranslations(file)
            if isinstance(whole, GNUTranslations):
                whole.add_fallback(part)
            else:
                whole = part
    return whole


def direction(language: str) -> str:
    """`rtl` or `ltr`, as HTML's `dir` takes it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def language_of(request: HTTPConnection) -> str:
    """The language to answer in: the address's `lang`, else the cookie of the choice, else the best of Accept-Language
    that there is, else English."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if chosen is not None and chosen in LANGUAGES:
            return chosen
    return accepted_language(request.headers.get("accept-language", ""))


def accepted_language(header: str) -> str:
    """The language of `LANGUAGES` that an Accept-Language header (RFC 9110, 12.5.4) ranks highest."""
    best, weight = DEFAULT, 0.0
    for part in header[:500].split(","):
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            given = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and given > weight:
            best, weight = language, given
    return best
