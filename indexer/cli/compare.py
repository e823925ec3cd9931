"""`dejafake compare`: how two pictures relate."""

from pathlib import Path

import click

from indexer.cli.output import console, json_option, plain, print_json, table
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def compare(settings: Settings, a: Path, b: Path, as_json: bool) -> None:
    """Compare the picture A with the picture B: same file, same picture, same origin. Neither needs to be known.

    \b
    dejafake compare original.jpg suspicious.jpg
    """
    limits = ImageLimits.from_settings(settings)
    with Workspace(settings) as workspace:
        comparison = workspace.searcher.compare(read_bytes(a, limits), read_bytes(b, limits))
    if as_json:
        print_json(comparison)
        return
    made = table("relation", "holds", "measure", "value", "threshold", "band", "note")
    for score in comparison.scores:
        made.add_row(
            score.relation.value,
            "yes" if score.holds else "no",
            score.measure,
            f"{score.value:.3f}",
            f"{score.threshold:g}",
            score.band.value,
            score.note or "",
        )
    out = console()
    out.print(made)
    for name, statement in zip(("A", "B"), comparison.statements, strict=True):
        if statement is not None:
            out.print(f"{name}:", plain(statement))
    for limitation in comparison.limitations:
        out.print(f"· {limitation}", style="dim")
