"""`dejafake compare`: how two pictures relate, and where they differ."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.cli.catalogue.answer import show_limits
from indexer.cli.output import (
    check_folder,
    console,
    explain_option,
    json_option,
    plain,
    print_json,
    table,
    tell_failure,
    write_file,
)
from indexer.errors import ImageRejectedError, UsageError
from indexer.examine.difference.finding import Box, DifferenceFinding
from indexer.imaging.decoding import decode, read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.provenance.recording import provenance_limits
from indexer.settings import Settings
from indexer.verdict.comparison_words import comparison_words
from indexer.verdict.limitations import LIMIT_TOO_LITTLE, SHORT_LIKENESS, missing_limits, short_signal
from indexer.workspace import Workspace

if TYPE_CHECKING:  # importing it loads OpenCV
    from indexer.examine.comparison import Comparison

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
@explain_option
@json_option
@click.pass_obj
def compare(
    settings: Settings,
    /,
    a: Path,
    b: Path | None,
    known: str | None,
    picture: Path | None,
    explain: bool,
    as_json: bool,
) -> int:
    """Compare the picture A with the picture B: same file, same picture (also cropped, mirrored, captioned or in a
    screenshot), a shared part, same origin, what each file says of its own origin, and where they differ.

    Neither needs to be known. With --with, B is an image of the catalogue, by its SHA-256 or the start of it.

    \b
    dejafake compare original.jpg suspicious.jpg --picture difference.png
    dejafake compare suspicious.jpg --with 3f2a91c0
    """
    if (b is None) == (known is None):
        raise UsageError("compare takes two pictures, or one picture and --with SHA256")
    if picture is not None:
        check_folder(picture)
    from indexer.examine.comparison import compare_pictures  # loads OpenCV

    limits = ImageLimits.from_settings(settings)
    try:
        with Workspace(settings) as workspace:
            if b is not None:
                compared = compare_pictures(workspace, read_bytes(a, limits), read_bytes(b, limits))
            else:
                compared = compare_pictures(workspace, read_bytes(a, limits), workspace.find_image(known or ""))
    except ImageRejectedError:
        if not _name_bad_files([path for path in (a, b) if path is not None], limits, as_json=as_json):
            raise
        return 1
    if picture is not None:
        write_file(picture, compared.png())
    if as_json:
        print_json(compared.comparison)
        return 0
    _show_relations(compared.comparison)
    _show_difference(compared.difference.finding)
    if picture is not None:
        console().print("drawn into", plain(picture))
    _show_statements(compared.comparison)
    _show_limits(compared.comparison, explain=explain)
    return 0


def _name_bad_files(paths: Sequence[Path], limits: ImageLimits, *, as_json: bool) -> int:
    """Names each file that is no picture, and returns how many these are."""
    bad = 0
    for path in paths:
        try:
            decode(read_bytes(path, limits), limits)
        except ImageRejectedError as error:
            bad += 1
            tell_failure(str(path), error, as_json=as_json)
    return bad


def _show_relations(comparison: "Comparison") -> None:
    console().print(Text(comparison_words(comparison.scores, comparison.overlap), style="bold"))
    listing = table("relation", "holds", "measure", "value", "threshold", "band", "note")
    for score in comparison.scores:
        listing.add_row(
            score.relation.value,
            "yes" if score.holds else "no",
            score.measure,
            f"{score.value:.3f}",
            f"{score.threshold:g}",
            score.band.value,
            score.note or "",
        )
    console().print(listing)


def _show_statements(comparison: "Comparison") -> None:
    """What the detector says of each picture, and each file of its own origin."""
    out = console()
    for name, statement in zip(("A", "B"), comparison.statements, strict=True):
        if statement is not None:
            out.print(f"{name}:", plain(statement))
    for name, origin in zip(("A", "B"), comparison.provenance, strict=True):
        for line in _origin(name, origin):
            out.print(plain(line))


def _show_limits(comparison: "Comparison", *, explain: bool) -> None:
    out = console()
    if explain:
        for limitation in comparison.limitations:
            out.print(plain(f"· {limitation}"))
        return
    particular = {limit for facts in (comparison.a, comparison.b) for limit in missing_limits(facts.missing)}
    said = [finding for origin in comparison.provenance for finding in origin or ()]
    particular |= {LIMIT_TOO_LITTLE, *(provenance_limits(said) if said else ())}
    for limitation in comparison.limitations:
        if limitation in particular:
            out.print(plain(limitation))
    show_limits(SHORT_LIKENESS, short_signal(calibrated=comparison.calibration is not None))


def _origin(name: str, findings: tuple[ProvenanceFinding, ...] | None) -> list[str]:
    if findings is None:
        return [f"The provenance of {name}'s file was never read: ingest it again."]
    if not findings:
        return [f"The file of {name} says nothing of its origin."]
    return [f"{name}, {told.worth.value.replace('_', '-')}: {told.statement}" for told in findings]


def _show_difference(finding: DifferenceFinding) -> None:
    out = console()
    if finding.regions:
        listing = table("region", "share", "in A", "in B", "times the usual noise", title="where they differ")
        for number, region in enumerate(finding.regions[:_SHOWN], start=1):
            share, strength = f"{region.share:.2%}", f"{region.strength:.0f}"
            listing.add_row(str(number), share, _place(region.box_a), _place(region.box_b), strength)
        out.print(listing)
    for statement in finding.statements:
        out.print(plain(statement))


def _place(box: Box) -> str:
    left, top, right, bottom = box
    return f"{right - left} x {bottom - top} at {left}, {top}"
