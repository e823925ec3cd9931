"""Copies of a picture, however it was re-shared: local features, their verification, and views of a query."""
