"""`dejafake export`: the catalogue, or a part of it, as a file."""

import sys
from pathlib import Path
from typing import Any

import click

from indexer.cli.filters import filter_options, image_filter
from indexer.cli.output import console, plain
from indexer.errors import DejafakeError
from indexer.exchange import export_images
from indexer.settings import Settings
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace


@click.command()
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. Default: standard output."
)
@click.option("--label", type=click.Choice([v.value for v in LabelValue]), help="Only images with this label.")
@filter_options
@click.pass_obj
def export(
    settings: Settings,
    /,
    kind: str,
    output: Path | None,
    label: str | None,
    **conditions: Any,
) -> None:
    """Write the images of the catalogue with their labels, sightings, hashes and scores, sorted by SHA-256.

    The same catalogue gives the same bytes. CSV cells are safe to open in a spreadsheet.

    \b
    dejafake export --format csv --output known-fakes.csv --label fake
    """
    wanted = image_filter(label, **conditions)
    with Workspace(settings) as workspace:
        if output is None:
            export_images(workspace.catalog, wanted, kind, sys.stdout)
            return
        try:
            with output.open("w", encoding="utf-8", newline="") as stream:
                count = export_images(workspace.catalog, wanted, kind, stream)
        except OSError as error:
            raise DejafakeError(f"cannot write {output}: {error.strerror}") from None
    console().print(f"{count} images written to", plain(output))
