"""Heads: linear classifiers on a detector's frozen embeddings, trained on the user's own labels.

`head` holds the record and its scores, `store` its files. Training needs labelled pictures and lives in
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
