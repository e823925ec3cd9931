"""Limits on the size of a picture, checked against what its file declares before any pixel is decoded."""

import os
from dataclasses import dataclass
from typing import Final

from indexer.errors import ImageRejectedError
from indexer.settings import Settings

MIN_SIDE = 16
"""Fewest pixels a side: below this neither PDQ nor a detector sees anything."""


def _quarter_of_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (AttributeError, ValueError, OSError):  # Windows has no such question
        return _MOST_DECODED_BYTES


_MOST_DECODED_BYTES: Final = 1_500_000_000
DECODED_BYTES: Final = min(_MOST_DECODED_BYTES, _quarter_of_memory())
"""Default limit for pictures decoded at the same time."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Upper bounds on one image: `max_bytes` of the file, `max_pixels` (width times height), `max_frames`.

    `max_decoded_bytes`: of all pictures that are decoded at a time in this process, together. `strict`: a file that
    ends early is refused, also where part of its picture is there.
    """

    max_bytes: int
    max_pixels: int
    max_frames: int
    max_decoded_bytes: int = DECODED_BYTES
    strict: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> "ImageLimits":
        """The limits an installation is set to."""
        return cls(
            settings.max_file_bytes,
            settings.max_pixels,
            settings.max_frames,
            settings.max_decoded_bytes or DECODED_BYTES,
            settings.strict,
        )

    def check_bytes(self, count: int) -> None:
        """Raises ImageRejectedError `empty` or `too_many_bytes`."""
        if count == 0:
            raise ImageRejectedError("empty", "the file is empty (0 bytes); fetch it again")
        if count > self.max_bytes:
            raise ImageRejectedError(
                "too_many_bytes",
                f"the file is larger than {self.max_bytes:,} bytes; raise DEJAFAKE_MAX_FILE_BYTES to accept it",
            )

    def check_size(self, width: int, height: int) -> None:
        """Raises ImageRejectedError `too_many_pixels`, `too_small` or, for an impossible size, `unreadable`."""
        if width <= 0 or height <= 0:
            raise ImageRejectedError("unreadable", f"the file declares an impossible size of {width} x {height} pixels")
        if width * height > self.max_pixels:
            raise ImageRejectedError(
                "too_many_pixels",
                f"the picture is {width:,} x {height:,} pixels, more than the {self.max_pixels:,} allowed; "
                "raise DEJAFAKE_MAX_PIXELS to accept it",
            )
        if min(width, height) < MIN_SIDE:
            raise ImageRejectedError(
                "too_small", f"the picture is {width} x {height} pixels; at least {MIN_SIDE} a side are needed"
            )

    def check_frames(self, count: int) -> None:
        """Raises ImageRejectedError `too_many_frames`."""
        if count > self.max_frames:
            raise ImageRejectedError(
                "too_many_frames",
                f"the file holds more than {self.max_frames:,} frames; raise DEJAFAKE_MAX_FRAMES to accept it",
            )
