"""What analysts decide about campaigns: each decision is checked against those that stand, recorded, and takes effect
at once, in the caller's transaction. Later clustering runs obey it (constraints.py); `undo` takes it back.

Decisions over campaigns hold for the images in them now; those that name images hold for these until they are undone.
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
