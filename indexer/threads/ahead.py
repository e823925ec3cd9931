"""Reading and decoding ahead of the model: worker threads prepare a bounded window of items while it runs."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, TypeVar

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")

STOPPING_SECONDS: Final = 10.0
"""How long the items that are being prepared are waited for when the consumer stops."""


def prepared_ahead(
    prepare: Callable[[Item], Prepared], items: Iterable[Item], *, workers: int, window: int
) -> Iterator[Prepared]:
    """`prepare(item)` of each item in the items' own order, at most `window` items ahead of the consumer.

    `items` is read in the calling thread, `prepare` runs in `workers` threads. What is waiting when the consumer stops
    is dropped, and what is stuck then is left behind. An exception of `prepare` is raised when its item's turn comes.
    """
    waiting: deque[Future[Prepared]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        for item in items:
            waiting.append(pool.submit(prepare, item))
            if len(waiting) >= window:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    finally:
        wait([future for future in waiting if not future.cancel()], STOPPING_SECONDS)
        pool.shutdown(wait=False, cancel_futures=True)


def _first(waiting: deque[Future[Prepared]]) -> Prepared:
    prepared = waiting[0].result()
    waiting.popleft()
    return prepared
