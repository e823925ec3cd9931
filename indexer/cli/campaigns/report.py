"""`dejafake report`: campaigns as files for other people."""

from datetime import datetime
from pathlib import Path

import click

from indexer.campaigns import ReportFormat, ReportOptions, last_reported, write_reports
from indexer.catalog.tables.types import as_utc
from indexer.cli.output import console, json_option, plain, print_json, steps, when
from indexer.errors import UsageError
from indexer.settings import Settings
from indexer.verdict.active_calibration import ActiveCalibration
from indexer.workspace import Workspace


@click.command()
@click.argument("campaign", required=False)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="All campaigns with an overview. This is the default when CAMPAIGN is not given.",
)
@click.option(
    "--since", help="Say what is new since this date or time (UTC, ISO 8601), or since the `last` report in the folder."
)
@click.option("--blur", is_flag=True, help="Make the pictures unrecognisable, for disturbing material.")
@click.option(
    "--format",
    "formats",
    type=click.Choice([form.value for form in ReportFormat]),
    multiple=True,
    help="What to write; may be given several times. Default: all.",
)
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where to write. Default: home/reports."
)
@json_option
@click.pass_obj
def report(
    settings: Settings,
    campaign: str | None,
    every: bool,
    since: str | None,
    blur: bool,
    formats: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Write the report on CAMPAIGN, or on all of them with an overview: a self-contained HTML page, PDF, JSON and CSV.

    \b
    dejafake report
    dejafake report cmp_k3v9x2m4q7ab --folder for-the-editor/ --blur
    dejafake report --all --since last
    """
    if every and campaign is not None:
        raise UsageError("give a CAMPAIGN or --all, not both")
    target = folder or settings.reports_dir
    start = None if since is None else _time(since, target)
    with Workspace(settings) as workspace, steps("report", quiet=as_json) as update:
        written = write_reports(
            workspace.catalog,
            settings,
            target,
            ReportOptions(
                since=start,
                blur=blur,
                formats=tuple(map(ReportFormat, formats)) or tuple(ReportFormat),
                calibration=ActiveCalibration(workspace.catalog, workspace.resolved).get(),
            ),
            campaign=campaign,
            progress=update,
        )
    if as_json:
        print_json(tuple(str(path) for path in written))
        return
    out = console()
    if start is not None:
        out.print(f"What is new since {when(start)}.", highlight=False)
    for path in written:
        if path.suffix in (".html", ".pdf"):
            out.print(plain(path), soft_wrap=True)
    out.print(f"{len(written)} files written: open the HTML in a browser, forward the PDF.", highlight=False)


def _time(since: str, folder: Path) -> datetime:
    if since == "last":
        last = last_reported(folder)
        if last is None:
            raise UsageError(f"there is no report in {folder} yet: omit --since, or give a date")
        return last
    try:
        if since.isdecimal() and len(since) != len("20260301"):  # Python would make 1701121500930 the year 1701
            raise ValueError(since)
        time = datetime.fromisoformat(since)
    except ValueError:
        raise UsageError(f"--since {since!r} is not a date like 2026-03-01, nor `last`") from None
    return as_utc(time)
