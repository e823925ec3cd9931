"""Heads of one's own: linear classifiers on a detector's frozen embeddings, trained from one's own labels.

What a head is and says lives in `head`, its files in `store`. Training needs labelled pictures and lives in
`indexer.evaluation.head_training`.
"""

from indexer.heads.head import ClassFigures, ClassScore, Head, HeadDescription, HeadFinding, Target
from indexer.heads.store import HeadListing, HeadStore

__all__ = [
    "ClassFigures",
    "ClassScore",
    "Head",
    "HeadDescription",
    "HeadFinding",
    "HeadListing",
    "HeadStore",
    "Target",
]
