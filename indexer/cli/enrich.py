"""`dejafake enrich`: other people's rows with what dejafake says of their pictures beside them."""

from collections.abc import Mapping
from pathlib import Path

import click

from indexer.cli.ingest import field_columns
from indexer.cli.output import console, json_option, plain, print_json, progress, table
from indexer.enrichment.inputs import open_input
from indexer.enrichment.run import PREFIX, Enrichment, EnrichmentReport
from indexer.enrichment.sql_run import SqlEnrichment, SqlReport, SqlTarget
from indexer.errors import UsageError
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace


@click.command(
    epilog="Nothing is added to the catalogue, and no URL is ever fetched. Interrupted or killed, the same command "
    "goes on where it was; an output file appears whole, at the end."
)
@click.argument("source", metavar="[IN]", required=False, type=click.Path(path_type=Path))
@click.option("--out", "output", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--sql", "url", metavar="URL", help="Enrich a table of this database (an SQLAlchemy URL) instead of IN.")
@click.option("--table", "name", help="The table to enrich.")
@click.option("--key", help="Its column that tells rows apart: the primary key, or a unique one.")
@click.option("--into", metavar="TABLE", help="Table for the answers. Default: the table's name and _dejafake.")
@click.option("--columns", "in_place", is_flag=True, help="Put the answers into added columns of the table itself.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that the paths in the table are relative to; none leads out of it.",
)
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Ask with COLUMN: path (a picture beside the file), sha256 or pdq. May be repeated. Default: guessed from the "
    "columns' names.",
)
@click.option("--prefix", default=PREFIX, show_default=True, help="What the names of the added columns start with.")
@json_option
@click.pass_obj
def enrich(
    settings: Settings,
    /,
    source: Path | None,
    output: Path | None,
    url: str | None,
    name: str | None,
    key: str | None,
    into: str | None,
    in_place: bool,
    pictures: Path | None,
    columns: tuple[str, ...],
    prefix: str,
    as_json: bool,
) -> int:
    """Write the rows of IN again, with verdict, best match, campaign, hashes and provenance beside them.

    IN is a table (CSV, TSV, JSON Lines, Parquet), a folder of pictures, fact-checks (ClaimReview and MediaReview in a
    JSON-LD document, or in an HTML page, whose reviews become JSON Lines), or what auto-archiver wrote (its CSV, a
    metadata.json). Same rows, same order, same format; what is there is never changed. A row asks with a picture below
    the file's folder, or with a SHA-256 or PDQ hash alone; a review also with an address that a known image was seen
    at. A row that cannot be answered says why in its error column, and is listed in a file named at the end. Exit code
    1 when no row could be answered.

    \b
    dejafake enrich claims.csv --out claims.enriched.csv
    dejafake enrich claims.parquet --out claims.enriched.parquet --map path=image_file
    dejafake enrich photos/ --out photos.csv
    dejafake enrich feed.json --out feed.enriched.json
    dejafake enrich --sql postgresql://desk@db/claims --table media --key id --pictures /data/media
    """
    mapping = field_columns(columns)
    if url is not None:
        if source is not None or output is not None:
            raise UsageError("enrich a file or a database: leave IN and --out away, or --sql")
        if name is None or key is None:
            raise UsageError("--sql needs --table, and --key to tell its rows apart")
        return _enrich_sql(settings, SqlTarget(url, name, key, into, in_place, pictures), mapping, prefix, as_json)
    if name or key or into or in_place or pictures:
        raise UsageError("--table, --key, --into, --columns and --pictures go with --sql")
    if source is None or output is None:
        raise UsageError("say what to enrich and where to write it: dejafake enrich IN --out FILE")
    return _enrich_file(settings, source, output, mapping, prefix, as_json)


def _enrich_file(
    settings: Settings, source: Path, output: Path, mapping: Mapping[str, str], prefix: str, as_json: bool
) -> int:
    found = open_input(source, mapping, ImageLimits.from_settings(settings))
    _show_mapping(found.mapping)
    with Workspace(settings) as workspace:
        workspace.index.bring_up_to_date()
        job = Enrichment(workspace, found, output, prefix)
        if job.continued:
            click.echo(f"going on after {job.continued:,} of {job.total:,} rows", err=True)
        with progress(f"enrich {source.name}", job.total - job.continued, quiet=as_json) as advance:
            report = job.run(advance)
    if as_json:
        print_json(report)
    else:
        _show(report, report.rows - report.continued)
        if report.rejected_file is not None:
            console().print("rows that could not be answered and why:", plain(report.rejected_file))
    return _exit_code(report)


def _enrich_sql(settings: Settings, target: SqlTarget, mapping: Mapping[str, str], prefix: str, as_json: bool) -> int:
    with Workspace(settings) as workspace:
        workspace.index.bring_up_to_date()
        job = SqlEnrichment(workspace, target, mapping, prefix)
        _show_mapping(job.mapping)
        with progress(f"enrich {target.table}", job.total, quiet=as_json) as advance:
            report = job.run(advance)
    if as_json:
        print_json(report)
    else:
        _show(report, report.rows)
    return _exit_code(report)


def _show_mapping(mapping: Mapping[str, str]) -> None:
    for field, column in mapping.items():
        click.echo(f"{field}: read from column {plain(column)}", err=True)


def _show(report: EnrichmentReport | SqlReport, answered_now: int) -> None:
    out = console()
    made = table("outcome", "rows")
    for outcome, count in report.outcomes.items():
        made.add_row(outcome.replace("_", " "), f"{count:,}")
    out.print(made)
    rate = answered_now / report.seconds if report.seconds else 0.0
    out.print(f"{report.rows:,} rows ({rate:.1f} a second) written to", plain(report.output))
    out.print("A score is a signal, not proof; no match is not authentic.", style="dim")


def _exit_code(report: EnrichmentReport | SqlReport) -> int:
    return 0 if report.rows > report.outcomes.get("error", 0) or not report.rows else 1
