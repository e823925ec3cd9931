"""The option that lets the paths of a table lead into further folders."""

from pathlib import Path

import click

root_option = click.option(
    "--root",
    "roots",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Allow paths in a table, absolute ones too, to point into FOLDER. May be repeated. Default: the table's own "
    "folder only.",
)
