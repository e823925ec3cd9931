"""`dejafake ingest`: pictures into the catalogue."""

from dataclasses import dataclass
from pathlib import Path

import click

from indexer.campaigns.newcomers import Joined, join_campaigns
from indexer.cli.alerts import look_for_alerts
from indexer.cli.output import console, json_option, plain, print_json, progress
from indexer.errors import DejafakeError, UsageError
from indexer.imaging.limits import ImageLimits
from indexer.ingest_report import IngestOptions, IngestReport, ItemOutcome
from indexer.pipeline import Ingest
from indexer.settings import Settings
from indexer.sources import Source, open_source
from indexer.vocabulary import LabelSource, LabelValue, Technique
from indexer.workspace import Workspace


@dataclass(frozen=True, slots=True)
class IngestedSource:
    """The report on one path of the command line."""

    path: str
    report: IngestReport


@click.command(
    epilog="Labels are read from folder names ({generator}/{real|fake}/…) and manifest columns; run it again at any "
    "time: what is there already is not done twice."
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--collection", "collections", multiple=True, help="Put the images into this collection; may be repeated."
)
@click.option("--label", type=click.Choice([v.value for v in LabelValue]), help="Label where the source gives none.")
@click.option("--technique", type=click.Choice([t.value for t in Technique]), help="Technique where none is given.")
@click.option("--generator", help="Generator where none is given.")
@click.option("--stated-by", help="Who vouches for the labels. Default: the name of the folder, manifest or archive.")
@click.option(
    "--source-kind",
    type=click.Choice([k.value for k in LabelSource]),
    default=LabelSource.TRUSTED_FEED.value,
    show_default=True,
    help="What kind of source that is; a person's label wins over a feed's, a feed's over a model's.",
)
@click.option("--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="Read FIELD from COLUMN of a manifest.")
@json_option
@click.pass_obj
def ingest(
    settings: Settings,
    paths: tuple[Path, ...],
    collections: tuple[str, ...],
    label: str | None,
    technique: str | None,
    generator: str | None,
    stated_by: str | None,
    source_kind: str,
    columns: tuple[str, ...],
    as_json: bool,
) -> int:
    """Add the pictures of PATHS: folders, manifests (CSV, JSONL, Parquet), archives (zip, tar) or image files.

    A bad picture never stops the rest: it is listed with its reason in a file named at the end. Exit code 1 when
    nothing at all could be ingested.

    \b
    dejafake ingest photos/
    dejafake ingest cases.csv --collection elections-2026
    dejafake ingest fake.jpg --label fake --technique face_swap --stated-by "M. Duval"
    """
    limits = ImageLimits.from_settings(settings)
    found = [(path, open_source(path, limits, field_columns(columns))) for path in paths]
    options = IngestOptions(
        collections=collections,
        label=None if label is None else LabelValue(label),
        technique=Technique.UNKNOWN if technique is None else Technique(technique),
        generator=generator,
        stated_by=stated_by,
        source_kind=LabelSource(source_kind),
    )
    added: set[str] = set()
    with Workspace(settings) as workspace:
        run = workspace.ingest(options)
        reports = [IngestedSource(str(path), _run(run, source, path, added, quiet=as_json)) for path, source in found]
        workspace.index.bring_up_to_date()
        joined = _join(workspace, added, quiet=as_json)
        look_for_alerts(workspace, as_json=as_json)
    if as_json:
        print_json(tuple(reports))
    else:
        for done in reports:
            _describe(done)
        if joined:
            console().print(
                f"{len(joined)} joined campaigns as suggested: see `dejafake campaigns --events`; "
                "`dejafake cluster` decides."
            )
    return 0 if any(done.report.added + done.report.known for done in reports) else 1


def field_columns(columns: tuple[str, ...]) -> dict[str, str]:
    """The columns by field that options `--map FIELD=COLUMN` give.

    Raises:
        UsageError: one of them is not of that form.
    """
    pairs = [column.partition("=") for column in columns]
    for field, equals, column in pairs:
        if not (field and equals and column):
            raise UsageError(
                f"--map takes FIELD=COLUMN, for example --map path=file_name, not {field + equals + column}"
            )
    return {field: column for field, _, column in pairs}


def _run(run: Ingest, source: Source, path: Path, added: set[str], *, quiet: bool) -> IngestReport:
    """Ingests a source; the SHA-256 of new images go into `added`."""
    with progress(f"ingest {path.name}", source.count(), quiet=quiet) as advance:

        def observe(outcome: ItemOutcome) -> None:
            if outcome.status == "added" and outcome.sha256 is not None:
                added.add(outcome.sha256)
            advance(1)

        return run.run(source, observe)


def _join(workspace: Workspace, added: set[str], *, quiet: bool) -> tuple[Joined, ...]:
    """Lets new images join campaigns; when that fails, the ingest is done all the same."""
    try:
        with progress("join campaigns", len(added), quiet=quiet or not added) as advance:
            return join_campaigns(workspace.catalog, workspace.searcher, added, advance)
    except DejafakeError as error:
        click.echo(f"dejafake: the new images joined no campaigns ({error}); `dejafake cluster` does it", err=True)
        return ()


def _describe(done: IngestedSource) -> None:
    out, report = console(), done.report
    rate = report.seen / report.seconds if report.seconds else 0.0
    out.print(plain(done.path), style="bold")
    out.print(f"  {report.added} added, {report.known} known already, {report.rejected} rejected; {rate:.1f} a second")
    if report.disputed:
        out.print(f"  {report.disputed} carry labels that disagree: settle them with `dejafake label SHA256 --as …`")
    if report.rejected_file is not None:
        out.print("  rejected files and why:", plain(report.rejected_file))
