"""Other people's rows, with what dejafake says of each row's picture beside them.

A reader yields what every row asks with, the asker answers, and a writer puts the added columns beside the rows; none
of the three knows the others. Nothing is fetched, nothing that was there is changed, nothing enters the catalogue.
"""

from indexer.enrichment.answer_columns import Cell, CellKind, Column, ColumnGroup
from indexer.enrichment.asking import AnsweredRow, Asker
from indexer.enrichment.rows import RowQuery

__all__ = ["AnsweredRow", "Asker", "Cell", "CellKind", "Column", "ColumnGroup", "RowQuery"]
