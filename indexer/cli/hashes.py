"""`dejafake hashes`: hash lists out and in, and which ones are here."""

import sys
from pathlib import Path
from typing import Any

import click

from indexer.catalog import hash_lists
from indexer.cli.filters import filter_options, image_filter
from indexer.cli.output import console, json_option, plain, print_json, progress, table, when
from indexer.errors import DejafakeError, SourceError
from indexer.exchange.hash_lists import ListImport, export_hashes, import_hashes
from indexer.settings import Settings
from indexer.vocabulary import HashAlgorithm, LabelValue
from indexer.workspace import Workspace

_ALGORITHMS = click.Choice([algorithm.value for algorithm in HashAlgorithm])


@click.group()
def hashes() -> None:
    """Hash lists: known fakes as hashes, without pictures. Searches find entries of imported lists."""


@hashes.command("export")
@click.option("--format", "algorithm", type=_ALGORITHMS, default="pdq", show_default=True)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. Default: standard output."
)
@click.option(
    "--label",
    type=click.Choice([*(v.value for v in LabelValue), "any"]),
    default="fake",
    show_default=True,
    help="Only images with this label.",
)
@filter_options
@click.pass_obj
def export(settings: Settings, /, algorithm: str, output: Path | None, label: str, **conditions: Any) -> None:
    """Write the hashes of the catalogue's images, sorted: `pdq HASH` lines (ThreatExchange, HMA) or bare SHA-256.

    PDQ hashes of pictures with too little structure are left out. Imported lists are not written.

    \b
    dejafake hashes export --output known-fakes.pdq
    """
    wanted, kind = image_filter(label, **conditions), HashAlgorithm(algorithm)
    with Workspace(settings) as workspace:
        if output is None:
            export_hashes(workspace.catalog, wanted, kind, sys.stdout, min_quality=settings.pdq_min_quality)
            return
        try:
            with output.open("w", encoding="utf-8", newline="") as stream:
                count = export_hashes(workspace.catalog, wanted, kind, stream, min_quality=settings.pdq_min_quality)
        except OSError as error:
            raise DejafakeError(f"cannot write {output}: {error.strerror}") from None
    console().print(f"{count} hashes written to", plain(output))


@hashes.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", required=True, metavar="NAME", help="Name of the list: who keeps it.")
@click.option("--algorithm", type=_ALGORITHMS, help="What bare hashes are; `pdq HASH` and `sha256 HASH` say it.")
@click.option(
    "--label",
    type=click.Choice([v.value for v in LabelValue]),
    default="fake",
    show_default=True,
    help="What the list says of its images.",
)
@json_option
@click.pass_obj
def import_(settings: Settings, file: Path, source: str, algorithm: str | None, label: str, as_json: bool) -> int:
    """Put the hashes of FILE, one a line, into the list NAME. Importing it again adds what is new.

    Malformed lines are counted and the first ones shown; they stop nothing. Exit code 1 when no line held a hash.

    \b
    dejafake hashes import tech-against-x.pdq --source "Example Exchange"
    dejafake hashes import sha256sums.txt --source "Desk B" --algorithm sha256
    """
    with Workspace(settings) as workspace:
        try:
            with file.open("rb") as lines, progress(f"import {file.name}", None, quiet=as_json) as advance:
                done = import_hashes(
                    workspace.catalog,
                    lines,
                    source,
                    algorithm=None if algorithm is None else HashAlgorithm(algorithm),
                    label=LabelValue(label),
                    observe=advance,
                )
        except OSError as error:
            raise SourceError(f"cannot read {file}: {error.strerror}") from None
    if as_json:
        print_json(done)
    else:
        _describe(done, source)
    return 0 if done.added + done.known else 1


@hashes.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """Show the lists that are here."""
    with Workspace(settings) as workspace, workspace.catalog.reading() as session:
        found = hash_lists.all_lists(session)
    if as_json:
        print_json(found)
        return
    made = table("list", "label", "hashes", "added", "changed")
    for one in found:
        made.add_row(plain(one.name), one.label.value, f"{one.hashes:,}", when(one.added_at), when(one.changed_at))
    console().print(made)


@hashes.command()
@click.argument("name")
@click.pass_obj
def remove(settings: Settings, name: str) -> None:
    """Remove the list NAME with all its hashes."""
    with Workspace(settings) as workspace, workspace.catalog.writing() as session:
        held = hash_lists.delete(session, name)
    console().print(f"{held:,} hashes removed with", plain(name))


def _describe(done: ListImport, source: str) -> None:
    out = console()
    out.print(plain(source), style="bold")
    out.print(f"  {done.added:,} added, {done.known:,} known already, {done.malformed:,} malformed lines")
    for problem in done.problems:
        out.print("  ·", plain(problem))
