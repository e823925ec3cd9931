"""The record every structure reader returns, and the two refusals they share."""

from dataclasses import dataclass

from indexer.errors import ImageRejectedError


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file declares.

    `size` is (width, height) as stored, None when only the decoder can tell; `frames` at least 1; `depth` bits a
    sample; `orientation` the EXIF value 1 to 8; `body` the bytes for the decoder; `notes` for a person.
    """

    size: tuple[int, int] | None
    body: bytes
    frames: int = 1
    depth: int = 8
    orientation: int = 1
    notes: tuple[str, ...] = ()


def truncated(what: str) -> ImageRejectedError:
    """The refusal of a file that ends early; `what` is missing."""
    return ImageRejectedError("truncated", f"the file ends early ({what} is cut off); fetch it again")


def damaged(what: str) -> ImageRejectedError:
    """The refusal of a file whose structure makes no sense."""
    return ImageRejectedError("unreadable", f"the file is damaged: {what}; fetch it again")
