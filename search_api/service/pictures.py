"""Searching with an uploaded picture: decoding and hashing in threads, the detector pass shared with other waiting
requests. Work for a disconnected client is dropped at the next step.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from indexer.detector.shared_passes import Seen
from indexer.search.answers import SearchAnswer, SearchOptions
from indexer.search.steps import Steps
from indexer.search.stopwatch import Stopwatch
from search_api.bodies.forms import Upload
from search_api.service.service import Service

T = TypeVar("T")


async def search_with_picture(
    request: Request, service: Service, picture: Upload, options: SearchOptions
) -> SearchAnswer:
    """The answer to a search with an uploaded picture.

    Raises:
        ImageRejectedError: the file is not an acceptable picture.
        ClientDisconnect: the client disconnected, or the request timed out, while the picture waited for the model.
        DejafakeError: an option is out of range; the catalogue, the index or the detector fails.
    """
    return await search_with(request, service, lambda: picture.read(service.settings.max_file_bytes), options)


async def search_with(
    request: Request, service: Service, read: Callable[[], bytes], options: SearchOptions
) -> SearchAnswer:
    """The answer to a search with the picture that `read` gives the bytes of. Raises as `search_with_picture`."""
    watch = Stopwatch()
    searcher = service.workspace.searcher
    async with service.decoding:  # what waits for the model no longer holds the file or the decoded picture
        steps = searcher.steps(read, watch)
        measured, seeing = await in_threads(service, steps)
    seen = await unless_gone(request, seeing)
    return await service.compute(lambda: searcher.by_seen(measured, seen, watch, options))


async def in_threads(service: Service, steps: Steps[T]) -> T:
    """Does the steps in the threads for searches; those that may run side by side do."""
    results: tuple[Any, ...] | None = None
    while True:
        try:
            works = next(steps) if results is None else steps.send(results)
        except StopIteration as done:
            finished: T = done.value
            return finished
        results = tuple(await asyncio.gather(*map(service.compute, works)))


async def unless_gone(request: Request, seen: Future[Seen]) -> Seen:
    """The detector's result, unless the client disconnects first.

    Raises:
        ClientDisconnect: it disconnected; its picture is dropped from any pass that has not begun.
    """
    waiting = asyncio.wrap_future(seen)
    leaving = asyncio.ensure_future(_left(request))
    try:
        either: set[asyncio.Future[Any]] = {waiting, leaving}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise ClientDisconnect
        return waiting.result()
    finally:
        leaving.cancel()
        waiting.cancel()


async def _left(request: Request) -> None:
    """Returns when the client has disconnected; use only after the body was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
