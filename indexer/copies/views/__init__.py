"""Views of a query: what else to ask with when a picture has borders, bars or a frame around it."""

from indexer.copies.views.views import MOST_VIEWS, View, ViewKind, inner_box, views

__all__ = ["MOST_VIEWS", "View", "ViewKind", "inner_box", "views"]
