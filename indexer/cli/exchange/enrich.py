"""`dejafake enrich`: other people's rows with what dejafake says of their pictures beside them."""

from collections.abc import Mapping
from pathlib import Path

import click

from indexer.cli.catalogue.ingest import field_columns
from indexer.cli.output import console, json_option, plain, print_json, progress, table
from indexer.cli.roots import root_option
from indexer.cli.terminal import echo
from indexer.enrichment.inputs.inputs import open_input
from indexer.enrichment.run import PREFIX, Enrichment, EnrichmentReport
from indexer.enrichment.sql.run import SqlEnrichment, SqlReport, SqlTarget
from indexer.errors import UsageError
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace


@click.command(
    epilog="Nothing is added to the catalogue, and no URL is ever fetched. If the command is interrupted, run it "
    "again: it continues where it stopped. The output file appears at the end, complete."
)
@click.argument("source", metavar="[IN]", required=False, type=click.Path(path_type=Path))
@click.option("--out", "output", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--sql", "url", metavar="URL", help="Enrich a table of this database (an SQLAlchemy URL) instead of IN.")
@click.option("--table", "name", help="The table to enrich.")
@click.option("--key", help="The column that identifies a row: the primary key, or a unique one.")
@click.option("--into", metavar="TABLE", help="Table for the answers. Default: the table's name and _dejafake.")
@click.option("--columns", "in_place", is_flag=True, help="Put the answers into added columns of the table itself.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that the paths in the table are relative to; paths that lead out of it are refused.",
)
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Read FIELD from COLUMN: path (a picture file), sha256 or pdq. May be repeated. Default: guessed from the "
    "column names.",
)
@root_option
@click.option("--prefix", default=PREFIX, show_default=True, help="Prefix of the names of the added columns.")
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
    roots: tuple[Path, ...],
    prefix: str,
    as_json: bool,
) -> int:
    """Copy the table IN and add columns to each row: verdict, best match, campaign, hashes and provenance.

    IN is a table (CSV, TSV, JSON Lines, Parquet), a folder of pictures, fact-checks (ClaimReview and MediaReview in a
    JSON-LD document, or in an HTML page, whose reviews become JSON Lines), or what auto-archiver wrote (its CSV, a
    metadata.json). Rows, order and format stay the same; existing values are never changed. A row is answered by a
    picture in the file's folder, or by a SHA-256 or PDQ hash alone; a review also by a URL where a known image was
    seen. A row that cannot be answered has the reason in its error column, and is listed in a file whose name is
    printed at the end. Exit code
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
            raise UsageError("enrich a file or a database: give either IN and --out, or --sql")
        if roots:
            raise UsageError("with --sql, --pictures names the folder that paths lead into, not --root")
        if name is None or key is None:
            raise UsageError("--sql needs --table, and --key, the column that identifies a row")
        return _enrich_sql(settings, SqlTarget(url, name, key, into, in_place, pictures), mapping, prefix, as_json)
    if name or key or into or in_place or pictures:
        raise UsageError("--table, --key, --into, --columns and --pictures go with --sql")
    if source is None or output is None:
        raise UsageError("say what to enrich and where to write it: dejafake enrich IN --out FILE")
    return _enrich_file(settings, source, output, mapping, roots, prefix, as_json)


def _enrich_file(
    settings: Settings,
    source: Path,
    output: Path,
    mapping: Mapping[str, str],
    roots: tuple[Path, ...],
    prefix: str,
    as_json: bool,
) -> int:
    columns = open_input(source, mapping, ImageLimits.from_settings(settings), roots)
    _show_mapping(columns.mapping)
    with Workspace(settings) as workspace:
        workspace.index.bring_up_to_date()
        job = Enrichment(workspace, columns, output, prefix)
        if job.continued:
            echo(f"continuing after {job.continued:,} of {job.total:,} rows", err=True)
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
        echo(f"{field}: read from column {plain(column)}", err=True)


def _show(report: EnrichmentReport | SqlReport, answered_now: int) -> None:
    out = console()
    listing = table("outcome", "rows")
    for outcome, count in report.outcomes.items():
        listing.add_row(outcome.replace("_", " "), f"{count:,}")
    out.print(listing)
    rate = answered_now / report.seconds if report.seconds else 0.0
    out.print(f"{report.rows:,} rows ({rate:.1f} a second) written to", plain(report.output))
    out.print("A score is a signal, not proof; no match is not authentic.", style="dim")


def _exit_code(report: EnrichmentReport | SqlReport) -> int:
    return 0 if report.rows > report.outcomes.get("error", 0) or not report.rows else 1
