"""One queue of everything that waits for a person: what waits and why, and what a decision does."""

from indexer.review.deciding import decide, take_back
from indexer.review.queue import ReviewItem, ReviewSources, key_of, queue

__all__ = ["ReviewItem", "ReviewSources", "decide", "key_of", "queue", "take_back"]
