"""The SQL catalogue, which is the truth: tables, transactions, and the queries that have names.

Records that go in and out are in records.py; each other module holds the queries of one subject.
"""

from indexer.catalog import campaign_tables, region_tables  # noqa: F401 - their tables belong to the schema
from indexer.catalog.database import Catalog

__all__ = ["Catalog"]
