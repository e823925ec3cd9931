"""Puts the pages into the application: the static files, every module of `pages/`, the header's entries."""

import mimetypes
import pkgutil
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import ModuleType

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from search_api.layers.errors import StaleError
from search_api.web import pages, stale
from search_api.web.page import NavEntry, SearchRule
from search_api.web.session import Sessions


def install(app: FastAPI, sessions: Sessions) -> None:
    """Adds the pages and their files to `app`; `app.state` gets `sessions`, `nav`, `search_rules`
    and `pages`, the paths of all pages."""
    mimetypes.add_type("text/javascript", ".js")  # some systems say otherwise, and browsers then refuse a module
    app.mount("/static/swagger", StaticFiles(directory=Path(str(files("fastapi_offline"))) / "static"))
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_exception_handler(StaleError, stale.on_stale)
    modules = page_modules()
    for module in modules:
        app.include_router(module.router)
    nav: list[NavEntry] = [module.NAV for module in modules if hasattr(module, "NAV")]
    rules: list[SearchRule] = [module.SEARCH for module in modules if hasattr(module, "SEARCH")]
    app.state.sessions = sessions
    app.state.pages = frozenset(route.path for module in modules for route in module.router.routes)
    app.state.nav = sorted(nav, key=lambda entry: entry.order)
    app.state.search_rules = sorted(rules, key=lambda rule: rule.order)


def page_modules() -> list[ModuleType]:
    """The modules of `pages/`, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(pages.__path__))
    return [import_module(f"{pages.__name__}.{name}") for name in names]
