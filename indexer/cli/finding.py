"""Images named on the command line by their SHA-256 or the start of it, found together."""

from collections.abc import Sequence

from indexer.cli.output import FailedArgument, Failure
from indexer.errors import DejafakeError, NotFoundError, UsageError
from indexer.workspace import Workspace


def find_images(workspace: Workspace, starts: Sequence[str]) -> tuple[list[str], tuple[FailedArgument, ...]]:
    """The SHA-256 of those that are here, and what is wrong with the others."""
    images, failed = [], []
    for start in starts:
        try:
            images.append(workspace.find_image(start))
        except (NotFoundError, UsageError) as error:
            failed.append(FailedArgument(start, Failure(error.code, None, str(error))))
    return images, tuple(failed)


def find_all_images(workspace: Workspace, starts: Sequence[str]) -> list[str]:
    """The SHA-256 of every one, for what is done to all of them or not at all.

    Raises:
        NotFoundError: some are not here; the message names each.
        UsageError: some are not written as a SHA-256 or the start of one; the message names each.
    """
    images, failed = find_images(workspace, starts)
    if failed:
        kind: type[DejafakeError] = (
            UsageError if any(image.error.code == UsageError.code for image in failed) else NotFoundError
        )
        raise kind("; ".join(image.error.message for image in failed) + "; nothing was changed")
    return images
