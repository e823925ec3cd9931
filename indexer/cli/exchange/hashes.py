"""`dejafake hashes`: hash lists out and in, and which ones are here."""

from pathlib import Path
from typing import Any

import click

from indexer.catalog import hash_lists
from indexer.cli.filters import filter_options, image_filter
from indexer.cli.output import console, json_option, plain, print_json, progress, table, when
from indexer.cli.terminal import data_out, echo
from indexer.errors import SourceError
from indexer.exchange.hash_lists import ListImport, export_hashes, import_hashes
from indexer.files.whole_files import replacing_text, told
from indexer.reindex.hashes import Rehash, RehashReport
from indexer.settings import Settings
from indexer.sources.items import source_name
from indexer.vocabulary import HashAlgorithm, LabelValue
from indexer.workspace import Workspace

GO_ON = 130
"""Exit code of an interrupted command."""
_KEPT = {
    "no_original": "without a kept original: ingest the picture again to renew its hash",
    "changed_original": "whose kept original has other bytes than when it was kept: see `dejafake doctor --deep`",
    "unreadable": "whose kept original cannot be read",
}
_ALGORITHMS = click.Choice([algorithm.value for algorithm in HashAlgorithm])


@click.group()
def hashes() -> None:
    """Hash lists: known fakes as hashes, without pictures. Searches find entries of imported lists."""


@hashes.command(
    epilog="If interrupted, run it again: it continues where it stopped. Searches work while it runs and find images "
    "by old and new hashes."
)
@json_option
@click.pass_obj
def rebuild(settings: Settings, as_json: bool) -> int:
    """Renew the PDQ hashes that an older version took, from the kept originals.

    Versions up to 0.1.0 hashed a copy of 512 x 512 pixels; other tools hash the picture itself. An image whose
    original was not kept keeps its old hash, which is searched but not exported. Ingesting the picture again renews
    it too.
    """
    with Workspace(settings) as workspace:
        job = Rehash(workspace)
        try:
            with progress("hash originals", job.count(), quiet=as_json) as advance:
                done = job.run(advance)
        except KeyboardInterrupt:
            echo("dejafake: interrupted; finished work is kept: run the same command again to continue", err=True)
            return GO_ON
    if as_json:
        print_json(done)
    else:
        _describe_rebuild(done)
    return 0


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

    PDQ hashes of pictures with too little structure are left out, and so are those that an older version took, which
    `dejafake hashes rebuild` renews. Imported lists are not written.

    \b
    dejafake hashes export --output known-fakes.pdq
    """
    selection, kind = image_filter(label, **conditions), HashAlgorithm(algorithm)
    with Workspace(settings) as workspace:
        if output is None:
            export_hashes(workspace.catalog, selection, kind, data_out(), min_quality=settings.pdq_min_quality)
            return
        with told(output), replacing_text(output) as stream:
            count = export_hashes(workspace.catalog, selection, kind, stream, min_quality=settings.pdq_min_quality)
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
    """Put the hashes of FILE into the list NAME. Importing it again adds what is new.

    Accepted are `pdq HASH` lines, `hash,quality,file` as Meta's tools write them, what sha256sum prints, tables with a
    header, JSON and JSON Lines. A PDQ hash of 60 to 63 digits, the first not 0, is padded with leading zeros. PDQ
    hashes of a quality below DEJAFAKE_PDQ_MIN_QUALITY are left out. Lines that cannot be read are counted and the
    first ones shown; they do not stop the import. Exit code 1 when no line held a usable hash.

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
                    min_quality=settings.pdq_min_quality,
                    observe=advance,
                )
        except SourceError as error:
            raise SourceError(f"{source_name(file)}: {error}") from None
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
    """Show the imported lists."""
    with Workspace(settings) as workspace, workspace.catalog.reading() as session:
        lists = hash_lists.all_lists(session)
    if as_json:
        print_json(lists)
        return
    listing = table("list", "label", "hashes", "added", "changed")
    for entry in lists:
        listing.add_row(
            plain(entry.name), entry.label.value, f"{entry.hashes:,}", when(entry.added_at), when(entry.changed_at)
        )
    console().print(listing)


@hashes.command()
@click.argument("name")
@click.pass_obj
def remove(settings: Settings, name: str) -> None:
    """Remove the list NAME with all its hashes."""
    with Workspace(settings) as workspace, workspace.catalog.writing() as session:
        held = hash_lists.delete(session, name)
    console().print(f"{held:,} hashes removed with", plain(name))


def _describe_rebuild(done: RehashReport) -> None:
    out = console()
    out.print(f"{done.renewed:,} hashes renewed; {done.remaining:,} images keep an old one, which is not exported")
    for reason, count in done.kept.items():
        why = _KEPT.get(reason, reason.replace("_", " "))
        out.print(f"  {count:,}", plain(why))


def _describe(done: ListImport, source: str) -> None:
    out = console()
    out.print(plain(source), style="bold")
    out.print(f"  {done.added:,} added, {done.known:,} known already, {done.malformed:,} malformed lines")
    if done.left_out:
        out.print(f"  {done.left_out:,} left out: their quality is too low to compare them")
    for problem in done.problems:
        out.print("  ·", plain(problem))
