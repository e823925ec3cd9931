"""Enriches other people's tables with dejafake's answer for each row's picture. A reader yields each row's query, the
asker answers it, and a writer adds the answer columns; the three are independent. Nothing is fetched, existing data is
not changed, nothing enters the catalogue.
"""

from indexer.enrichment.answering import AnsweredRow, Asker
from indexer.enrichment.columns import Cell, CellKind, Column, ColumnGroup
from indexer.enrichment.rows import RowQuery

__all__ = ["AnsweredRow", "Asker", "Cell", "CellKind", "Column", "ColumnGroup", "RowQuery"]
