"""An image of the catalogue as a picture to look at closely: its kept original, without metadata."""

from typing import Final

from indexer.errors import NotFoundError
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.imaging.thumbnails import make_thumbnail
from indexer.workspace import Workspace

LONGEST_SIDE: Final = 2_048
"""In pixels. Smaller pictures keep their size."""


def large_picture(workspace: Workspace, sha256: str) -> bytes:
    """A JPEG of the upright picture, at most `LONGEST_SIDE` long, that holds only pixels.

    Raises:
        NotFoundError: its original is not kept.
        OriginalChangedError: the kept original is not what was kept.
    """
    data = workspace.originals.get(sha256)
    if data is None:
        raise NotFoundError(
            f"the original of {sha256} is not kept here: ingest its file again with DEJAFAKE_KEEP_ORIGINALS=true"
        )
    return make_thumbnail(decode(data, ImageLimits.from_settings(workspace.settings)).rgb, LONGEST_SIDE)
