"""Commands about images of the catalogue."""
