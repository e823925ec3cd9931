"""The record of how often the catalogue was written."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChangeMarks:
    """How often the catalogue was written: `change_id` is the number of the last writing transaction, `filters_id` that
    of the last one that may have changed what a filter selects.
    """

    change_id: int
    filters_id: int
