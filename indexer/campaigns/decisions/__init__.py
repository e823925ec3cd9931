"""What analysts decide about campaigns: each decision is checked against those in force, recorded, and applied at once
in the caller's transaction. Later clustering runs obey it (constraints.py); `undo` takes it back.

A decision about a whole campaign covers the images in it at that time; a decision that names images covers those images
until it is undone.
"""

from indexer.campaigns.decisions.checks import Author
from indexer.campaigns.decisions.members import confirm_members, pin_members, reject_members
from indexer.campaigns.decisions.reshaping import merge, split
from indexer.campaigns.decisions.undoing import undo
from indexer.campaigns.decisions.whole import annotate, close, confirm, pin, rename

__all__ = [
    "Author",
    "annotate",
    "close",
    "confirm",
    "confirm_members",
    "merge",
    "pin",
    "pin_members",
    "reject_members",
    "rename",
    "split",
    "undo",
]
