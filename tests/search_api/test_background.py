"""The server's own work goes on after failures, ever more patiently, and does not fill the log with one of them."""

import logging
from threading import Event

import pytest

from indexer.errors import CatalogError
from search_api.service import background
from search_api.service.background import Background


def failing(errors: list[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a step that fails in these ways, one after the other, and then has nothing to do."""
    monkeypatch.setattr(background, "LONGEST_PAUSE", 0.001)
    done, left = Event(), iter(errors)

    def step() -> bool:
        error = next(left, None)
        if error is not None:
            raise error
        done.set()
        return False

    working = Background({"work": step}, every=0.001)
    working.start()
    assert done.wait(30)
    working.close()


def test_the_same_failure_is_told_with_its_traceback_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "dejafake.api"):
        failing([RuntimeError("one")] * 4 + [KeyError("two"), CatalogError("three")], monkeypatch)
    tracebacks = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert tracebacks == [RuntimeError, KeyError]
    assert [record.getMessage() for record in caplog.records] == [
        "work failed",
        *["work failed again: RuntimeError"] * 3,
        "work failed",
        "work: three",
    ]
