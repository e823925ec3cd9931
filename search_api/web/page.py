"""Rendering a page: its policy, what every template can use, messages after a form, and problems as pages."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from indexer import __version__
from indexer.verdict.limitations import LIMIT_LIKENESS, LIMIT_NO_MATCH, LIMIT_SIGNAL
from search_api.layers.security import PAGE_POLICY
from search_api.web.language import LANGUAGES, catalogue, direction, language_of
from search_api.web.session import CSRF_FIELD, form_token, person_of, sessions_of, set_cookie, set_form_cookie

THEMES: Final = ("auto", "light", "dark")
THEME_COOKIE: Final = "dejafake_theme"
BLUR_COOKIE: Final = "dejafake_blur"
TOAST_COOKIE: Final = "dejafake_toast"
_TOAST_SECONDS: Final = 60
_TOAST_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class NavEntry:
    """A page's entry in the header. `label` is marked with `N_`; entries stand in the order of `order`."""

    order: int
    label: str
    path: str


@dataclass(frozen=True, slots=True)
class SearchRule:
    """What the header's search field finds on a page: the address for a text, None if it is not for this page. Rules
    are asked in the order of `order`."""

    order: int
    address: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Toast:
    """A message on the next page. `undo`: an address to post to, with these fields, that takes it back."""

    text: str
    undo: str | None = None
    fields: Mapping[str, str] | None = None


def render(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page from a template of `templates/`, in the language and colours the person chose.

    Every template can use: `base` (prefix of all addresses), `read_version` (of what the page's forms change, see
    `search_api.web.forms`; None unless given), `path` and `here` (this address without and with its
    query), `nav`, `has_page` (whether there is a page at a path such as `/images/{sha256}`), `has_search`, `person` (or
    None), `needs_token`, `csrf_token` and `csrf_field` (of forms), `theme`, `blur`, `lang`, `dir`, `languages`, `toast`
    (or None), `version`, `limits`, `now`; and the filters `utc`, `day`, `month`, `words`, `number`, `short` and `size`.
    Parts are imported `with context`.
    """
    language = language_of(request)
    toast = _read_toast(request)
    query = request.url.query
    path = request.url.path.removeprefix(request.scope.get("root_path", "")) or "/"
    body = (
        _environment(language)
        .get_template(template)
        .render(
            **{
                "base": request.scope.get("root_path", ""),
                "path": path,
                "here": f"{path}?{query}" if query and request.method == "GET" else path,
                "nav": request.app.state.nav,
                "has_page": request.app.state.pages.__contains__,
                "has_search": bool(request.app.state.search_rules),
                "search_text": "",
                "person": person_of(request),
                "needs_token": sessions_of(request).needs_token,
                "csrf_token": form_token(request),
                "csrf_field": CSRF_FIELD,
                "read_version": None,
                "theme": theme_of(request),
                "blur": request.cookies.get(BLUR_COOKIE) == "on",
                "lang": language,
                "dir": direction(language),
                "languages": LANGUAGES,
                "toast": toast,
                "version": __version__,
                "limits": (LIMIT_NO_MATCH, LIMIT_LIKENESS, LIMIT_SIGNAL),
                "now": datetime.now(UTC),
                **values,
            }
        )
    )
    response = HTMLResponse(body, status_code=status, headers=page_headers())
    set_form_cookie(request, response)
    if toast is not None:
        response.delete_cookie(TOAST_COOKIE, path=request.scope.get("root_path", "") or "/")
    return response


def page_headers(policy: str = PAGE_POLICY) -> dict[str, str]:
    """The headers of every page. The referrer goes to this server only: without one, browsers send `Origin: null` with
    a form, which the guard refuses."""
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "private, no-cache",
        "Referrer-Policy": "same-origin",
        "Vary": "Accept-Language, Cookie, HX-Request",
    }


def see_other(request: Request, address: str, toast: Toast | None = None) -> Response:
    """The answer to a form that was done: go to `address` (path and query of this server), with a message there."""
    response: Response = RedirectResponse(request.scope.get("root_path", "") + address, 303)
    if toast is not None:
        said = json.dumps([toast.text[:400], toast.undo, dict(toast.fields or {})])
        set_cookie(request, response, TOAST_COOKIE, urlsafe_b64encode(said.encode()).decode(), _TOAST_SECONDS)
    return response


def wants_part(request: Request) -> bool:
    """Whether htmx asks, for a part of the page and not the whole."""
    return "hx-request" in request.headers and "hx-boosted" not in request.headers


def theme_of(request: Request) -> str:
    """The colours the person chose: one of `THEMES`."""
    given = request.cookies.get(THEME_COOKIE, "auto")
    return given if given in THEMES else "auto"


def gettext_of(request: Request) -> Callable[[str], str]:
    """The translation of texts that are made in Python."""
    return _catalogue(language_of(request)).gettext


def _read_toast(request: Request) -> Toast | None:
    given = request.cookies.get(TOAST_COOKIE, "")
    if not given or len(given) > _TOAST_MAX:
        return None
    try:
        text, undo, fields = json.loads(urlsafe_b64decode(given))
        return Toast(str(text), None if undo is None else str(undo), {str(k): str(v) for k, v in fields.items()})
    except (ValueError, TypeError, AttributeError):
        return None


_catalogue = lru_cache(catalogue)


@lru_cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("search_api.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(_catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    isolate = _isolated if direction(language) == "rtl" else str
    environment.filters.update(
        utc=lambda moment: isolate(_utc(moment)),
        day=lambda moment: isolate(_day(moment)),
        month=lambda day: isolate(f"{day:%Y-%m}"),
        number=_number,
        short=_short,
        size=lambda count: isolate(_size(count)),
        words=_words,
    )
    return environment


def _isolated(text: str) -> str:
    """A date or quantity that keeps its own direction within right-to-left text (UAX #9, LRI and PDI)."""
    return f"\u2066{text}\u2069" if text else ""


def _utc(moment: datetime | None) -> str:
    """A moment as `2026-12-01 06:45 UTC`; empty for None."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d")


def _words(slug: Any) -> str:
    """A slug of the vocabulary as words."""
    return str(slug).replace("_", " ")


def _number(value: int) -> str:
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _short(sha256: str) -> str:
    """The first characters of a digest, to show where the whole is in reach."""
    return sha256[:12]


def _size(count: int) -> str:
    """A number of bytes for people."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
