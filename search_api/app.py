"""The application: layers, routes and documentation put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware

from indexer import __version__
from indexer.settings import Settings
from indexer.workspace import Workspace
from search_api import openapi
from search_api.layers import errors
from search_api.layers.limits import BodyLimit, TimeLimit, job_body_max
from search_api.layers.metrics import Metrics, RequestMetrics
from search_api.layers.security import Guard, SecurityHeaders
from search_api.routes import (
    accounts,
    bulk,
    calibrations,
    campaign_history,
    campaigns,
    collections,
    compare,
    detectors,
    enrich,
    hash_lists,
    health,
    heatmap,
    images,
    metrics,
    novelties,
    regions,
    reports,
    reviews,
    search,
    watches,
)
from search_api.service.service import Service
from search_api.web import site
from search_api.web.problem_pages import ProblemPages
from search_api.web.session import Sessions

DESCRIPTION = """Have we seen this fake before? Send a picture and learn which known fakes it is or is like, what the
detector says, which campaign it belongs to, and how sure that is.

**What an answer is not.** No match means that this catalogue does not hold the picture, not that it is authentic.
Likeness to a known fake is a relation: the genuine source photo may match too. Scores are signals, not proof.

Errors are problem documents (RFC 9457). Lists page by opaque cursor. Times are UTC. No URL is ever fetched; the
callbacks of jobs and watches, where the operator set them up, are the only requests this server makes."""


def create_app(settings: Settings, workspace: Workspace | None = None) -> FastAPI:
    """The ASGI application of one installation.

    Args:
        settings: which installation, and its limits.
        workspace: an open one to use, closed at the end; None opens one when the application starts, and a
            DejafakeError then stops the start.
    """
    measured = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = await anyio.to_thread.run_sync(Workspace, settings) if workspace is None else workspace
        service = Service(settings, opened, measured)
        app.state.service = service
        service.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(service.close)

    token = None if settings.api_token is None else settings.api_token.get_secret_value()
    sessions = Sessions(token)
    app = FastAPI(
        title="dejafake",
        version=__version__,
        summary="Have we seen this fake before?",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_tags=openapi.TAGS,
        middleware=[
            Middleware(RequestMetrics, measured),
            Middleware(SecurityHeaders),
            Middleware(ProblemPages),
            Middleware(errors.UnexpectedErrors),
            Middleware(Guard, settings.allowed_hosts, token, sessions.signed_in),
            Middleware(TimeLimit, settings.request_timeout_seconds),
            Middleware(BodyLimit, settings.max_body_bytes, {"/v1/enrich": job_body_max(settings.job_rows_max)}),
        ],
    )
    errors.install(app)
    for resource in (
        search,
        images,
        enrich,
        watches,
        bulk,
        heatmap,
        compare,
        regions,
        campaign_history,  # before campaigns: "events" and "decisions" are not ids
        campaigns,
        reports,
        reviews,
        accounts,
        novelties,
        collections,
        hash_lists,
        detectors,
        calibrations,
        health,
        metrics,
    ):
        app.include_router(resource.router)
    site.install(app, sessions)
    openapi.install(app, protected=token is not None)
    return app
