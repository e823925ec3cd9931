"""Display names of campaigns: the name a person gave, or one generated from the catalogue. Only given names are stored,
so that no name shows an outdated number.
"""

from datetime import datetime


def shown_name(given: str | None, images: int, first_seen: datetime | None) -> str:
    """The name to show for a campaign."""
    return automatic_name(images, first_seen) if given is None else given


def automatic_name(images: int, first_seen: datetime | None) -> str:
    """A neutral generated name: how many images and since when, never who or why."""
    since = "" if first_seen is None else f", first seen {first_seen.date().isoformat()}"
    return f"Campaign of {images:,} image{'' if images == 1 else 's'}{since}"
