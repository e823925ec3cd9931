"""Which accounts shared the same pictures at nearly the same time, and how likely that is by chance."""

from indexer.accounts.drawing import Drawing, drawing_of
from indexer.accounts.exporting import MEDIA_TYPES, GraphFormat, coortweet, exported
from indexer.accounts.links import (
    AccountLink,
    AccountLinks,
    AccountQuestion,
    LinkedAccount,
    account_links,
    dated_shares,
)

__all__ = [
    "MEDIA_TYPES",
    "AccountLink",
    "AccountLinks",
    "AccountQuestion",
    "Drawing",
    "GraphFormat",
    "LinkedAccount",
    "account_links",
    "coortweet",
    "dated_shares",
    "drawing_of",
    "exported",
]
