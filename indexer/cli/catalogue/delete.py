"""`dejafake delete`: images out of the catalogue, with their files."""

from dataclasses import dataclass

import click

from indexer.cli.output import console, json_option, plain, print_json
from indexer.cli.terminal import echo
from indexer.errors import DejafakeError, NotFoundError
from indexer.settings import Settings
from indexer.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Deleted:
    """What became of one image that was asked for. `error` says why it was not deleted; `files_left` why its files are
    still there although it was."""

    asked: str
    sha256: str | None
    deleted: bool
    error: str | None = None
    files_left: str | None = None


@click.command(
    epilog="A tombstone with the SHA-256 and the reason stays, so that indexes and other desks can follow; so do the "
    "events of watches that found the image, and the history of its campaigns."
)
@click.argument("sha256s", nargs=-1, required=True, metavar="SHA256…")
@click.option("--reason", default="", help="Why; kept with the tombstone.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def delete(settings: Settings, sha256s: tuple[str, ...], reason: str, yes: bool, as_json: bool) -> int:
    """Delete the images SHA256… (or the starts of them): what is known of them, their originals and thumbnails.

    A SHA-256 that matches no image does not stop the others; the exit code is then 1.

    \b
    dejafake delete 3f2a91c0 --reason "the owner asked for it"
    """
    with Workspace(settings) as workspace:
        images = [_find(workspace, asked) for asked in dict.fromkeys(sha256s)]
        there = [image for image in images if image.sha256 is not None]
        if there and not yes:
            noun = "this image" if len(there) == 1 else f"these {len(there)} images"
            for image in there:
                echo(str(image.sha256), err=True)
            click.confirm(f"Delete {noun} with all that is known of it and its files?", abort=True, err=True)
        done = tuple(image if image.sha256 is None else _delete(workspace, image, reason) for image in images)
    if as_json:
        print_json(done)
    for image in done:
        _tell(image, quiet=as_json)
    return 0 if all(image.deleted and image.files_left is None for image in done) else 1


def _find(workspace: Workspace, asked: str) -> Deleted:
    try:
        return Deleted(asked, workspace.find_image(asked), deleted=False)
    except DejafakeError as error:
        return Deleted(asked, None, deleted=False, error=str(error))


def _delete(workspace: Workspace, image: Deleted, reason: str) -> Deleted:
    sha256 = image.sha256 or ""
    try:
        removal = workspace.delete_image(sha256, reason)
        if removal is None:
            raise NotFoundError(f"no image {image.asked} in this catalogue: it is gone already")
    except DejafakeError as error:
        return Deleted(image.asked, sha256, deleted=False, error=str(error))
    return Deleted(image.asked, sha256, deleted=True, files_left=removal.left.get(sha256))


def _tell(image: Deleted, *, quiet: bool) -> None:
    """Says what became of one; `quiet`: only what went wrong, on standard error."""
    if not image.deleted:
        echo(f"dejafake: {plain(image.error)}", err=True)
        return
    if not quiet:
        console().print(image.sha256, "is deleted")
    if image.files_left is not None:
        echo(
            f"dejafake: its files could not be removed ({image.files_left}): mend that, and `dejafake doctor` does it",
            err=True,
        )
