"""ClaimReview and MediaReview (schema.org): what fact-checkers publish, read tolerantly and written strictly.

Nothing here touches the network: a remote `@context` is never fetched, and terms are told apart by their names alone.
"""

from indexer.exchange.reviews.categories import Category, MediaCategory
from indexer.exchange.reviews.reading import read_reviews
from indexer.exchange.reviews.records import ClaimReview, MediaAppearance, MediaReview, Party, Rating, ReviewsRead
from indexer.exchange.reviews.writing import SignOff

__all__ = [
    "Category",
    "ClaimReview",
    "MediaAppearance",
    "MediaCategory",
    "MediaReview",
    "Party",
    "Rating",
    "ReviewsRead",
    "SignOff",
    "read_reviews",
]
