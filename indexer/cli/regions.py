"""`dejafake regions`: which known fakes contain a region of a picture."""

from pathlib import Path

import click

from indexer.catalog import region_features
from indexer.cli.output import console, json_option, plain, print_json, progress, table
from indexer.errors import UsageError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace

_KIB = 1024


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
    """Take the local features of all known fakes that have none yet: about 13 KB an image in the catalogue.

    Interrupted, it goes on where it was. Run it whenever new images came in.

    \b
    dejafake regions prepare
    """
    from indexer.region_search import prepare_regions  # loads OpenCV

    with Workspace(settings) as workspace:
        with workspace.catalog.reading() as session:
            waiting = region_features.lacking_count(session)
        with progress("regions", waiting, quiet=as_json) as update:
            prepared = prepare_regions(workspace, update)
    if as_json:
        print_json(prepared)
        return
    size = prepared.state.bytes / max(1, prepared.state.images) / _KIB
    console().print(
        f"{prepared.added} images prepared, {prepared.state.images} in all, {size:.1f} KiB each; "
        f"{prepared.skipped} have neither original nor thumbnail."
    )


@regions.command()
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--box", type=BoxType(), required=True, help="The region, in pixels of the upright picture.")
@click.option("--limit", type=click.IntRange(min=1), help="Most matches.")
@json_option
@click.pass_obj
def search(settings: Settings, picture: Path, box: tuple[int, int, int, int], limit: int | None, as_json: bool) -> None:
    """Search with a box on PICTURE for known fakes that contain what it shows.

    \b
    dejafake regions search suspicious.jpg --box 320,80,560,400
    """
    wanted = limit or settings.search_limit
    if wanted > settings.search_limit_max:
        raise UsageError(f"a search returns at most {settings.search_limit_max} matches, not {wanted}")
    from indexer.region_search import RegionSearcher  # loads OpenCV

    data = read_bytes(picture, ImageLimits.from_settings(settings))
    with Workspace(settings) as workspace:
        answer = RegionSearcher(workspace).by_bytes(data, box, wanted)
    if as_json:
        print_json(answer)
        return
    out = console()
    if not answer.matches:
        out.print(
            f"No known fake contains this region: {answer.searched} were looked through by {answer.features} features."
        )
    else:
        made = table("image", "features alike", "firm", "there at", "technique", "generator")
        for match in answer.matches:
            label = match.image.image.label
            left, top, right, bottom = match.box
            made.add_row(
                match.image.image.sha256[:16],
                f"{match.inliers} of {match.matches}",
                "yes" if match.firm else "",
                f"{right - left} x {bottom - top} at {left}, {top}",
                label.technique.value,
                plain(label.generator or ""),
            )
        out.print(made)
    for limitation in answer.limitations:
        out.print(f"· {limitation}", style="dim")
