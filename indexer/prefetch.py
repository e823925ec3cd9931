"""Reading and decoding ahead of the model: worker threads prepare a bounded window of items while it runs."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")


def prepared_ahead(
    prepare: Callable[[Item], Prepared], items: Iterable[Item], *, workers: int, window: int
) -> Iterator[Prepared]:
    """`prepare(item)` of each item in the items' own order, at most `window` items ahead of the consumer.

    `items` is read in the calling thread, `prepare` runs in `workers` threads. What is waiting when the consumer stops
    is dropped. An exception of `prepare` is raised when its item's turn comes.
    """
    waiting: deque[Future[Prepared]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(prepare, item))
                if len(waiting) >= window:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
