"""`dejafake ingest`: pictures into the catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from indexer.campaigns.joining.after_ingest import Joined, join_campaigns, waiting
from indexer.cli.alerts import look_for_alerts
from indexer.cli.catalogue.label_words import map_label_option, tell_words
from indexer.cli.output import complain, console, json_option, plain, print_json, progress, strict_option
from indexer.cli.roots import root_option
from indexer.cli.terminal import echo
from indexer.copies.verification.thumbnails import Thumbnails
from indexer.errors import DejafakeError, SourceError, UsageError
from indexer.imaging.limits import ImageLimits
from indexer.ingest.pipeline import Ingest
from indexer.ingest.report import IngestOptions, IngestReport
from indexer.settings import Settings
from indexer.sources import DateOrder, Found, Source, open_source
from indexer.sources.label_words import LabelWords
from indexer.vocabulary import LabelSource, LabelValue, Technique
from indexer.workspace import Workspace


@dataclass(frozen=True, slots=True)
class IngestedSource:
    """The report on one path of the command line; `error` says why the rest of it could not be read."""

    path: str
    report: IngestReport
    error: str | None = None


@dataclass(frozen=True, slots=True)
class FailedSource:
    """A path of the command line that could not be read."""

    path: str
    error: str


@click.command(
    epilog="Labels are read from folder names ({generator}/{real|fake}/…) and manifest columns, by a table of words "
    "that `dejafake label --words` shows. A word that gives no label (0, 1, false, misleading …) leaves the picture "
    "unlabelled and is reported. You can run the command again at any time: nothing is done twice."
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
@map_label_option
@root_option
@click.option(
    "--dates",
    type=click.Choice([order.value for order in DateOrder]),
    help="What 02/03/2026 means in a manifest. Default: what the column itself shows, or else it is kept as text.",
)
@strict_option
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
    words: LabelWords,
    roots: tuple[Path, ...],
    dates: str | None,
    strict: bool,
    as_json: bool,
) -> int:
    """Add the pictures of PATHS: folders, manifests (CSV, JSONL, Parquet), archives (zip, tar) or image files.

    A bad picture never stops the rest: it is listed with its reason in a file whose name is printed at the end. A
    path that cannot be read does not stop the others either; the exit code is then 1, as it is when nothing could
    be ingested.

    \b
    dejafake ingest photos/
    dejafake ingest cases.csv --collection elections-2026
    dejafake ingest fake.jpg --label fake --technique face_swap --stated-by "M. Duval"
    """
    settings = settings.model_copy(update={"strict": strict or settings.strict})
    limits = ImageLimits.from_settings(settings)
    order = None if dates is None else DateOrder(dates)
    mapping = field_columns(columns)
    options = IngestOptions(
        collections=collections,
        label=None if label is None else LabelValue(label),
        technique=Technique.UNKNOWN if technique is None else Technique(technique),
        generator=generator,
        stated_by=stated_by,
        source_kind=LabelSource(source_kind),
    )
    opened: list[tuple[Path, Source | SourceError]] = []
    for path in paths:
        try:
            opened.append((path, open_source(path, limits, mapping, words, dates=order, roots=roots)))
        except SourceError as error:
            complain(error)
            opened.append((path, error))
    if all(isinstance(source, SourceError) for _, source in opened):
        if as_json:
            print_json(tuple(FailedSource(str(path), str(error)) for path, error in opened))
        return 1
    done: list[IngestedSource | FailedSource] = []
    with Workspace(settings) as workspace:
        run = workspace.ingest(options)
        for path, source in opened:
            if isinstance(source, SourceError):
                done.append(FailedSource(str(path), str(source)))
            else:
                done.append(_run(run, source, path, quiet=as_json))
        workspace.index.bring_up_to_date()
        joined = _join(workspace, quiet=as_json)
        look_for_alerts(workspace, as_json=as_json)
    if as_json:
        print_json(tuple(done))
        for ingested in done:
            if isinstance(ingested, IngestedSource):
                tell_words(ingested.report.label_words, quiet=True)
    else:
        for ingested in done:
            _describe(ingested)
        if joined:
            console().print(
                f"{len(joined)} joined campaigns as suggested: see `dejafake campaigns --events`; "
                "`dejafake cluster` decides."
            )
    sound = [ingested for ingested in done if isinstance(ingested, IngestedSource) and ingested.error is None]
    return (
        0 if len(sound) == len(done) and any(ingested.report.added + ingested.report.known for ingested in sound) else 1
    )


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


def _run(run: Ingest, source: Source, path: Path, *, quiet: bool) -> IngestedSource:
    """Ingests a source, as far as it can be read."""
    broken: list[SourceError] = []

    def readable() -> Iterator[Found]:
        try:
            yield from source
        except SourceError as error:
            complain(error)
            broken.append(error)

    with progress(f"ingest {path.name}", _count(source), quiet=quiet) as advance:
        report = run.run(readable(), lambda _outcome: advance(1))
    return IngestedSource(str(path), report, str(broken[0]) if broken else None)


def _count(source: Source) -> int | None:
    """How much there is to do; None where only reading it tells, or tells why not."""
    try:
        return source.count()
    except SourceError:
        return None


def _join(workspace: Workspace, *, quiet: bool) -> tuple[Joined, ...]:
    """Lets new images join campaigns, also those that an ingest left behind when it was killed; when that fails, the
    ingest is done all the same."""
    try:
        count = waiting(workspace.catalog)
        with progress("join campaigns", count, quiet=quiet or not count) as advance:
            return join_campaigns(
                workspace.catalog,
                workspace.index,
                Thumbnails(workspace.settings),
                workspace.searcher.thresholds(),
                advance,
            )
    except DejafakeError as error:
        echo(
            f"dejafake: new images joined no campaigns ({error}); the next `dejafake ingest` or `dejafake cluster` "
            "does it",
            err=True,
        )
        return ()


def _describe(done: IngestedSource | FailedSource) -> None:
    out = console()
    if isinstance(done, FailedSource):
        out.print(plain(done.path), style="bold")
        out.print("  not done:", plain(done.error))
        return
    report = done.report
    if done.error is not None:
        out.print("  not done to its end:", plain(done.error))
    rate = report.seen / report.seconds if report.seconds else 0.0
    out.print(plain(done.path), style="bold")
    out.print(f"  {report.added} added, {report.known} known already, {report.rejected} rejected; {rate:.1f} a second")
    if report.disputed:
        out.print(f"  {report.disputed} carry labels that disagree: settle them with `dejafake label SHA256 --as …`")
    tell_words(report.label_words)
    if report.unknown_techniques:
        words = ", ".join(f'"{word}" ({count:,})' for word, count in report.unknown_techniques.items())
        out.print(plain(f"no known technique, kept as words: {words}; known are {', '.join(Technique)}"))
    if report.rejected_file is not None:
        out.print("  rejected files and why:", plain(report.rejected_file))
    for kind, count in report.remarks.items():
        out.print(f"  {count:,} with a remark: {kind.replace('_', ' ')}")
    if report.remarks_file is not None:
        out.print("  remarks on what was added all the same:", plain(report.remarks_file))
    if report.skipped:
        passed = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in report.skipped.items())
        out.print(f"  skipped, because they are not pictures: {passed}")
    if report.skipped.get("table"):
        out.print(
            "  tables beside the pictures were not read: what they say of labels and sightings is missing. Give the "
            "table itself, out of an archive unpacked first, to have it"
        )
