"""Values as the web writes them: addresses and media types."""

from indexer.catalog.records.images import Image
from indexer.sources.cells import as_url


def web_address(text: str | None) -> str | None:
    """A web address; None for other text that a catalogue may hold there, which readers of an export would refuse."""
    try:
        return None if text is None else as_url(text)
    except ValueError:
        return None


def media_type(image: Image) -> str:
    """The media type (RFC 6838) of an image's file."""
    return f"image/{image.format.lower()}"
