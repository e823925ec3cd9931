"""`dejafake regions`: which known fakes contain a region of a picture."""

from pathlib import Path

import click

from indexer.catalog.copies import local_features
from indexer.cli.output import WHOLE, console, json_option, plain, print_json, progress, table
from indexer.cli.terminal import echo
from indexer.copies.features import FEATURES_FINGERPRINT
from indexer.errors import OriginalChangedError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace


class BoxType(click.ParamType[tuple[int, int, int, int]]):
    """`left,top,right,bottom` in pixels."""

    name = "left,top,right,bottom"

    def convert(
        self, value: str | tuple[int, int, int, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int, int, int]:
        """Four whole numbers."""
        if isinstance(value, tuple):
            return value
        try:
            left, top, right, bottom = (int(number) for number in value.split(","))
        except ValueError:
            self.fail(f"{value} is not four whole numbers: left,top,right,bottom in pixels", param, ctx)
        return left, top, right, bottom


@click.group()
def regions() -> None:
    """Find the known fakes that contain a region of a picture: a pasted face, a logo, a piece of background."""


@regions.command()
@json_option
@click.pass_obj
def prepare(settings: Settings, as_json: bool) -> None:
    """Take local features of the images that have none yet: about 1.5 KB per image in the catalogue.

    New images get theirs when they are added; this is for those that were there before. If interrupted, run it again:
    it continues where it stopped.

    \b
    dejafake regions prepare
    """
    from indexer.reindex.copies import PrepareCopies  # loads OpenCV

    with Workspace(settings) as workspace:
        run = PrepareCopies(workspace, None)
        with progress("regions", run.count(), quiet=as_json) as update:
            prepared = run.run(update)
        with workspace.catalog.reading() as session:
            known = local_features.count(session, FEATURES_FINGERPRINT)
    if as_json:
        print_json(prepared)
        return
    skipped = sum(prepared.skipped.values()) - len(prepared.changed)
    console().print(
        f"{prepared.features_added} images prepared, {known} in all; {skipped} have neither a readable original nor a "
        "thumbnail."
    )
    for sha256 in prepared.changed:
        echo(f"dejafake: {OriginalChangedError(sha256)}", err=True)


@regions.command()
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--box", type=BoxType(), required=True, help="The region, in pixels of the upright picture.")
@click.option("--limit", type=WHOLE, help="Most matches.")
@json_option
@click.pass_obj
def search(settings: Settings, picture: Path, box: tuple[int, int, int, int], limit: int | None, as_json: bool) -> None:
    """Find known fakes that contain the part of PICTURE inside a box.

    \b
    dejafake regions search suspicious.jpg --box 320,80,560,400
    """
    from indexer.examine.region_search import RegionSearcher  # loads OpenCV

    data = read_bytes(picture, ImageLimits.from_settings(settings))
    with Workspace(settings) as workspace:
        answer = RegionSearcher(workspace).by_bytes(data, box, limit)
    if as_json:
        print_json(answer)
        return
    out = console()
    if not answer.matches:
        out.print(
            f"No known fake contains this region: {answer.searched} were searched, with {answer.features} features."
        )
    else:
        count = len(answer.matches)
        out.print(
            "A known fake contains this region:" if count == 1 else f"{count} known fakes contain this region:",
            style="bold",
        )
        listing = table("image", "features alike", "firm", "there at", "technique", "generator")
        for match in answer.matches:
            label = match.image.image.label
            left, top, right, bottom = match.box
            listing.add_row(
                match.image.image.sha256[:16],
                f"{match.inliers} of {match.matches}",
                "yes" if match.firm else "",
                f"{right - left} x {bottom - top} at {left}, {top}",
                label.technique.value,
                plain(label.generator or ""),
            )
        out.print(listing)
    for limitation in answer.limitations:
        out.print(f"· {limitation}", style="dim")
