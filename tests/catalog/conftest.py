"""An open, empty catalogue on each kind of database, and a count of what is asked of it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import get_ident

import pytest
from sqlalchemy import Engine, event

from indexer.catalog import Catalog


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    with Catalog.open(database_url) as opened:
        yield opened


@pytest.fixture
def statements() -> AbstractContextManager[list[str]]:
    """Within `with statements as asked:` every statement sent to a database is listed, but for BEGIN and COMMIT."""

    @contextmanager
    def listening() -> Iterator[list[str]]:
        asked: list[str] = []
        asking = get_ident()

        def listen(_connection, _cursor, statement, *_):
            if get_ident() == asking and not statement.startswith("BEGIN"):
                asked.append(statement)

        event.listen(Engine, "before_cursor_execute", listen)
        try:
            yield asked
        finally:
            event.remove(Engine, "before_cursor_execute", listen)

    return listening()
