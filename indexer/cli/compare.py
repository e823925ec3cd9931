"""`dejafake compare`: how two pictures relate, and where they differ."""

from pathlib import Path

import click

from indexer.answers import Comparison
from indexer.catalog.records import ProvenanceFinding
from indexer.cli.output import check_folder, console, json_option, plain, print_json, table, write_file
from indexer.difference.finding import Box, DifferenceFinding
from indexer.errors import UsageError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace

_SHOWN = 20
"""Most regions in the table; `--json` has all."""


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path), required=False)
@click.option("--with", "known", metavar="SHA256", help="Compare with this image of the catalogue instead of B.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw both pictures and where they differ into this PNG file.",
)
@json_option
@click.pass_obj
def compare(
    settings: Settings, a: Path, b: Path | None, known: str | None, picture: Path | None, as_json: bool
) -> None:
    """Compare the picture A with the picture B: same file, same picture, same origin, what each file says of its own
    origin, and where they differ.

    Neither needs to be known. With --with, B is an image of the catalogue, by its SHA-256 or the start of it.

    \b
    dejafake compare original.jpg suspicious.jpg --picture difference.png
    dejafake compare suspicious.jpg --with 3f2a91c0
    """
    if (b is None) == (known is None):
        raise UsageError("compare takes two pictures, or one picture and --with SHA256")
    if picture is not None:
        check_folder(picture)
    from indexer.comparison import compare_pictures, compare_with_known  # loads OpenCV

    limits = ImageLimits.from_settings(settings)
    first = read_bytes(a, limits)
    with Workspace(settings) as workspace:
        if b is not None:
            compared = compare_pictures(workspace, first, read_bytes(b, limits))
        else:
            compared = compare_with_known(workspace, first, workspace.find_image(known or ""))
    if picture is not None:
        write_file(picture, compared.png())
    if as_json:
        print_json(compared.comparison)
        return
    _show_relations(compared.comparison)
    _show_difference(compared.difference.finding)
    if picture is not None:
        console().print("drawn into", plain(picture))


def _show_relations(comparison: Comparison) -> None:
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
    for name, origin in zip(("A", "B"), comparison.provenance, strict=True):
        for line in _origin(name, origin):
            out.print(plain(line))
    for limitation in comparison.limitations:
        out.print(f"· {limitation}", style="dim")


def _origin(name: str, findings: tuple[ProvenanceFinding, ...] | None) -> list[str]:
    if findings is None:
        return [f"What the file of {name} says of its origin was never read: ingest it again."]
    if not findings:
        return [f"The file of {name} says nothing of its origin."]
    return [f"{name}, {told.worth.value.replace('_', '-')}: {told.statement}" for told in findings]


def _show_difference(finding: DifferenceFinding) -> None:
    out = console()
    if finding.regions:
        made = table("region", "share", "in A", "in B", "times the usual noise", title="where they differ")
        for number, region in enumerate(finding.regions[:_SHOWN], start=1):
            share, strength = f"{region.share:.2%}", f"{region.strength:.0f}"
            made.add_row(str(number), share, _place(region.box_a), _place(region.box_b), strength)
        out.print(made)
    for statement in finding.statements:
        out.print(plain(statement))


def _place(box: Box) -> str:
    left, top, right, bottom = box
    return f"{right - left} x {bottom - top} at {left}, {top}"
