"""The order of the steps from the bytes of a picture to what can be searched with, defined once.

Whoever asks says where the steps run: one after the other in this thread (`in_this_thread`), or each in a place of its
own, as the API does. A step that is added belongs here, and every way of asking has it.
"""

from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeVar

from indexer.search.measurer import Measurer
from indexer.search.probe import MeasuredPicture, ModelInput, OpenedPicture
from indexer.search.stopwatch import Stopwatch

T = TypeVar("T")
Passed = TypeVar("Passed")

Work = Callable[[], Any]
Steps = Generator[tuple[Work, ...], tuple[Any, ...], T]
"""Yields what is to be done next, takes the results in the same order, and returns a `T` in the end. What is yielded
together may run side by side."""


class PictureSteps:
    """The steps of pictures for one detector.

    Args:
        measurer: does the work of each step.
    """

    def __init__(self, measurer: Measurer) -> None:
        self._measurer = measurer

    def of_file(
        self, read: Callable[[], bytes], hand_on: Callable[[ModelInput], Passed], watch: Stopwatch
    ) -> Steps[tuple[MeasuredPicture, Passed]]:
        """Read, decode, then as `of_opened`. A step raises ImageRejectedError when the bytes are not a picture that
        is accepted.

        Args:
            read: gives the bytes of the file.
            hand_on: what becomes of the models' input as soon as it is there, such as handing it to `SharedPasses`; its
                result is returned with the measured picture.
            watch: is told how long the steps took.
        """
        (data,) = yield (read,)
        (image,) = yield (partial(self._measurer.decode, data, watch),)
        return (yield from self.of_opened(OpenedPicture(image, data), hand_on, watch))

    def of_opened(
        self, picture: OpenedPicture, hand_on: Callable[[ModelInput], Passed], watch: Stopwatch
    ) -> Steps[tuple[MeasuredPicture, Passed]]:
        """Find the views to ask with; then prepare for the models and hand on, and beside it measure hashes and
        provenance. Local features are not among the steps: they are taken when nothing surer settled a search."""
        (views,) = yield (partial(self._measurer.views, picture.image, watch),)
        passed, measured = yield (
            lambda: hand_on(self._measurer.inputs(picture.image, views, watch)),
            partial(self._measurer.measure, picture, views, watch),
        )
        return measured, passed


def in_this_thread(steps: Steps[T]) -> T:
    """Does all steps here, one after the other."""
    results: tuple[Any, ...] | None = None
    while True:
        try:
            works = next(steps) if results is None else steps.send(results)
        except StopIteration as done:
            finished: T = done.value
            return finished
        results = tuple(work() for work in works)
