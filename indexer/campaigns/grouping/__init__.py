"""Which known fakes belong together, and how strongly."""
