"""`dejafake demo`: the main job from end to end on a collection it makes itself."""

from pathlib import Path

import click

from indexer.demo import run_demo
from indexer.settings import Settings


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-output"),
    show_default=True,
    help="Where the collection, its catalogue and the report go.",
)
@click.pass_obj
def demo(settings: Settings, folder: Path) -> None:
    """Make a small collection of fakes, ingest it, search with altered copies, find campaigns, write a report.

    Everything in it is made up and created locally; nothing is downloaded. Your own catalogue is not touched.
    """
    run_demo(settings, folder)
