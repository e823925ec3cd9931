"""The SQL catalogue, which is the truth: tables, transactions, and the queries that have names.

Records that go in and out are in `records/`; each other module holds the queries of one subject.
"""

from indexer.catalog import tables  # noqa: F401 - the schema is all of them
from indexer.catalog.database import Catalog

__all__ = ["Catalog"]
