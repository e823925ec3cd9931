"""Searching with an uploaded picture: decoding and hashing in threads, the detector's pass shared with whoever waits.

Pictures beyond the setting `waiting_pictures_max` are refused before any work is put into them. What a client that
left no longer waits for is dropped at the next step.
"""

import asyncio
import math
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from indexer.answers import SearchAnswer, SearchOptions
from indexer.detector.shared_passes import Seen
from indexer.probing import MeasuredPicture, Stopwatch
from search_api.bodies import Upload
from search_api.service import Service


async def search_with_picture(
    request: Request, service: Service, picture: Upload, options: SearchOptions
) -> SearchAnswer:
    """The answer to a search with an uploaded picture.

    Raises:
        HTTPException: 503, too many are waiting already.
        ImageRejectedError: the file is not a picture that is accepted.
        ClientDisconnect: the client left, or the request ran out of time, while the picture waited for the model.
        DejafakeError: an option is out of range; the catalogue, the index or the detector fails.
    """
    watch = Stopwatch()
    with admitted(service):
        async with service.decoding:
            measured, seeing = await _begun(service, picture, watch)
        seen = await unless_gone(request, seeing)
        return await service.compute(lambda: service.workspace.searcher.by_seen(measured, seen, watch, options))


async def _begun(service: Service, picture: Upload, watch: Stopwatch) -> tuple[MeasuredPicture, Future[Seen]]:
    """All but the wait for the model; what waits for it no longer holds the file or the decoded picture."""
    searcher = service.workspace.searcher
    data = await service.compute(lambda: picture.read(service.settings.max_file_bytes))
    image = await service.compute(lambda: searcher.decode(data, watch))
    return await asyncio.gather(
        service.compute(lambda: searcher.measure(image, data, watch)),
        service.compute(lambda: service.workspace.passes.submit(searcher.pixels(image, watch))),
    )


@contextmanager
def admitted(service: Service) -> Iterator[None]:
    """Counts a picture among those being searched with. To be used in the event loop's thread.

    Raises:
        HTTPException: 503, they are too many already.
    """
    if service.pictures >= service.settings.waiting_pictures_max:
        seconds = math.ceil(service.pictures * service.workspace.passes.seconds_a_picture)
        raise HTTPException(
            503,
            "Too many pictures are waiting already: send it again later.",
            headers={"Retry-After": str(max(1, seconds))},
        )
    service.pictures += 1
    try:
        yield
    finally:
        service.pictures -= 1


async def unless_gone(request: Request, seen: Future[Seen]) -> Seen:
    """What the detector sees, unless the client leaves before.

    Raises:
        ClientDisconnect: it left; its picture costs no pass that has not begun.
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
    """Returns when the client has left; to be used after the body was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
