"""The record every structure reader returns, and the two refusals they share."""

from dataclasses import dataclass

from indexer.errors import ImageRejectedError


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file declares.

    `size` is (width, height) as stored, None when only the decoder can tell; `frames` at least 1; `depth` bits a
    sample; `orientation` the EXIF value 1 to 8; `body` the bytes for the decoder; `notes` for a person.

    `cut`: the file ends early, and `body` holds what is there. `otherwise`: the same with other bytes in the place of
    the missing ones, for a decoder that does not say where the data ends. `whole` has all frames, where there are
    several and they can be looked at; `first_shown` is the number of the first that is part of the animation. `rows`
    are there of a file that is cut, None where only its pixels tell; `interlaced` says that they come in the four
    passes of GIF. `following`: the next picture of a file that holds several one after the other.
    """

    size: tuple[int, int] | None
    body: bytes
    frames: int = 1
    depth: int = 8
    orientation: int = 1
    notes: tuple[str, ...] = ()
    cut: bool = False
    otherwise: bytes | None = None
    whole: bytes | None = None
    first_shown: int = 0
    rows: int | None = None
    interlaced: bool = False
    following: "Declared | None" = None

    @property
    def most_pixels(self) -> int:
        """The pixels of the largest picture whose size the file declares."""
        width, height = self.size or (0, 0)
        return max(width * height, 0 if self.following is None else self.following.most_pixels)


def truncated(what: str) -> ImageRejectedError:
    """The refusal of a file that ends early; `what` is missing."""
    return ImageRejectedError("truncated", f"the file ends early ({what} is cut off); fetch it again")


def damaged(what: str) -> ImageRejectedError:
    """The refusal of a file whose structure makes no sense."""
    return ImageRejectedError("unreadable", f"the file is damaged: {what}; fetch it again")
