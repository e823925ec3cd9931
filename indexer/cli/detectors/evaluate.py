"""`dejafake evaluate`: how well the detector does on pictures whose class is known."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from indexer.cli.catalogue.label_words import map_label_option, tell_words
from indexer.cli.output import SEED, WHOLE, console, plain, steps, table, write_file
from indexer.cli.roots import root_option
from indexer.cli.terminal import write_json
from indexer.errors import UsageError
from indexer.estimates import Figure, NotMeasured
from indexer.evaluation.labelled import labelled_pictures
from indexer.evaluation.options import EvaluationOptions
from indexer.evaluation.report import Evaluation
from indexer.evaluation.report import evaluate as judge
from indexer.evaluation.retrieval import METHODS, Recall
from indexer.evaluation.text import as_percent, as_score
from indexer.settings import Settings
from indexer.sources.label_words import LabelWords
from indexer.workspace import Workspace

_STANDARD_OUTPUT = Path("-")


@click.command()
@click.argument("what")
@click.option("--detector", help="Detector to judge: a name from `dejafake detector list`, or a folder.")
@click.option("--html", type=click.Path(path_type=Path), help="Write the report as one HTML page.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write it as JSON; - prints it.")
@click.option("--quick/--full", default=True, show_default=True, help="Samples of the pictures, or all of them.")
@click.option(
    "--threshold", default=0.5, show_default=True, help="Score p(fake) at or above which a picture counts as fake."
)
@click.option("--queries", type=WHOLE, default=100, show_default=True, help="Number of pictures to search with.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of samples, resamples and noise.")
@map_label_option
@root_option
@click.pass_obj
def evaluate(
    settings: Settings,
    what: str,
    detector: str | None,
    html: Path | None,
    json_file: Path | None,
    quick: bool,
    threshold: float,
    queries: int,
    seed: int,
    words: LabelWords,
    roots: tuple[Path, ...],
) -> None:
    """Measure the detector on WHAT: a labelled manifest, folder or archive, `collection:NAME`, or `catalogue`.

    Figures with 95 % intervals: telling fakes apart, by generator, technique and size; finding altered copies;
    degraded pictures; simple baselines; and whether size or compression alone would separate the classes. The
    figures hold for pictures like these. For images of the catalogue, stored labels and embeddings are used;
    nothing is written to it.

    \b
    dejafake evaluate labelled.csv --html report.html
    dejafake evaluate collection:elections-2026 --full --json report.json
    """
    for path in (html, json_file):
        if path is not None and path != _STANDARD_OUTPUT:
            _check_place(path)
    if html == _STANDARD_OUTPUT:
        raise UsageError("--html needs a file to write to; only --json takes - for standard output")
    if detector is not None:
        settings = settings.model_copy(update={"detector": detector})
    options = _options(settings, quick=quick, threshold=threshold, queries=queries, seed=seed)
    quiet = json_file == _STANDARD_OUTPUT
    with Workspace(settings) as workspace, steps("evaluate", quiet=quiet) as update:
        labelled, pictures = labelled_pictures(workspace, what, words=words, roots=roots, progress=update)
        evaluation = judge(labelled, pictures, workspace.detector(), options, progress=update)
    if html is not None:
        from indexer.evaluation.page import evaluation_page

        _write(html, evaluation_page(evaluation))
    if quiet:
        write_json(evaluation.as_json())
        return
    if json_file is not None:
        _write(json_file, evaluation.as_json())
    out = console()
    _show(evaluation, out)
    for path in (html, json_file):
        if path is not None:
            out.print("written to", plain(path))


def _options(settings: Settings, *, quick: bool, threshold: float, queries: int, seed: int) -> EvaluationOptions:
    limits = EvaluationOptions()
    return EvaluationOptions(
        threshold=threshold,
        seed=seed,
        queries=queries,
        database=limits.database if quick else None,
        robustness=limits.robustness if quick else None,
        max_distance=settings.same_picture_max_distance,
        min_quality=settings.pdq_min_quality,
    )


def _check_place(path: Path) -> None:
    """Refuses what could not be written before an hour of work."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file to write the report to")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write the report to; make it first")


def _write(path: Path, text: str) -> None:
    write_file(path, text.encode())


def _show(evaluation: Evaluation, out: Console) -> None:
    pictures = evaluation.pictures
    out.print(plain(f"{evaluation.detector.name} on {pictures.name}"), style="bold")
    out.print(f"{pictures.fakes:,} fakes, {pictures.authentic:,} authentic pictures", highlight=False)
    for reason, count in pictures.skipped.items():
        out.print(plain(f"left out: {count:,} {reason}"), style="dim")
    tell_words(pictures.label_words)
    for warning in evaluation.warnings:
        out.print(plain(f"! {warning}"), style="yellow")
    if evaluation.detector.trained:
        _show_scores(evaluation, out)
    _show_slices(evaluation, out)
    _show_peers(evaluation, out)
    _show_retrieval(evaluation, out)
    _show_robustness(evaluation, out)
    out.print()
    out.print(plain(f"Intervals: {evaluation.method.intervals} Seed {evaluation.method.seed}."), style="dim")
    out.print(plain(evaluation.limits[0]), style="dim")


def _show_scores(evaluation: Evaluation, out: Console) -> None:
    scores = evaluation.scores
    listing = table("scores", "value", "95 % interval")
    listing.add_row("ROC AUC", *_cells(scores.roc_auc))
    listing.add_row("average precision", *_cells(scores.average_precision))
    listing.add_row(f"accuracy at {scores.threshold:g}", *_cells(scores.accuracy, percent=True))
    listing.add_row(f"fakes found at {scores.threshold:g}", *_cells(scores.tpr, percent=True))
    listing.add_row(f"false alarms at {scores.threshold:g}", *_cells(scores.fpr, percent=True))
    for point in scores.operating_points:
        at = "none" if point.threshold is None else f"{point.threshold:.4f}"
        name = f"fakes found at {as_percent(point.max_fpr)} false alarms (threshold {at})"
        listing.add_row(name, *_cells(point.tpr, percent=True))
    listing.add_row("calibration error (15 bins of equal mass)", *_cells(scores.calibration_error))
    listing.add_row("mean p(fake) of fakes", *_cells(scores.mean_p_fake_of_fakes))
    listing.add_row("mean p(fake) of authentic pictures", *_cells(scores.mean_p_fake_of_authentic))
    _print_apart(out, listing)


def _show_slices(evaluation: Evaluation, out: Console) -> None:
    if not evaluation.detector.trained:
        return
    listing = table(
        "by", "name", "fakes", "authentic", "ROC AUC", "95 % interval", f"found at {evaluation.scores.threshold:g}"
    )
    for row in evaluation.slices:
        recall = _cells(row.tpr, percent=True)[0]
        listing.add_row(row.by, plain(row.name), f"{row.fakes:,}", f"{row.authentic:,}", *_cells(row.roc_auc), recall)
    if evaluation.slices:
        _print_apart(out, listing)


def _show_peers(evaluation: Evaluation, out: Console) -> None:
    listing = table("on the same pictures", "ROC AUC", "95 % interval")
    for peer in evaluation.peers:
        listing.add_row("the detector", *_cells(peer.detector_roc_auc))
        listing.add_row(f"peer: {peer.name}", *_cells(peer.roc_auc))
    listing.add_row("confound check: file facts alone", *_cells(evaluation.confound.roc_auc))
    _print_apart(out, listing)


def _show_retrieval(evaluation: Evaluation, out: Console) -> None:
    retrieval = evaluation.retrieval
    if retrieval.recall:
        title = f"original first; {retrieval.queries:,} pictures altered, searched for among {retrieval.database:,}"
        listing = table("altered copy", *(_method(name) for name in METHODS), title=title)
        rows: dict[str, list[Recall]] = {}
        for row in retrieval.recall:
            rows.setdefault(row.alteration, []).append(row)
        for name, recalls in rows.items():
            listing.add_row(name, *(_short(recall.at_1) for recall in recalls))
        _print_apart(out, listing)
    named = table("generator named right", "fakes", "right", "95 % interval", "mean over generators", "most frequent")
    for attribution in retrieval.attribution:
        named.add_row(
            _method(attribution.method),
            f"{attribution.fakes:,}",
            *_cells(attribution.accuracy, percent=True),
            _short(attribution.macro),
            "–" if attribution.majority is None else as_percent(attribution.majority),
        )
    _print_apart(out, named)
    ranked = table("mean average precision", "method", "queries", "value", "95 % interval", "by chance")
    for ranking in retrieval.ranking:
        chance = "–" if ranking.chance is None else as_score(ranking.chance)
        cells = _cells(ranking.mean_average_precision)
        ranked.add_row(f"same {ranking.by}", _method(ranking.method), f"{ranking.queries:,}", *cells, chance)
    _print_apart(out, ranked)


def _show_robustness(evaluation: Evaluation, out: Console) -> None:
    if not evaluation.robustness:
        return
    title = f"degraded; the same {evaluation.robustness[0].pictures:,} pictures everywhere"
    listing = table("", "level", "ROC AUC", "95 % interval", "p(fake), fakes", "p(fake), authentic", title=title)
    for curve in evaluation.robustness:
        for point in curve.points if curve is evaluation.robustness[0] else curve.points[1:]:
            listing.add_row(
                "as they are" if point.level is None else curve.degradation,
                "" if point.level is None else f"{point.level:g}",
                *_cells(point.roc_auc),
                _cells(point.mean_p_fake_of_fakes)[0],
                _cells(point.mean_p_fake_of_authentic)[0],
            )
    _print_apart(out, listing)


def _print_apart(out: Console, listing: Table) -> None:
    out.print()
    out.print(listing)


def _cells(figure: Figure, *, percent: bool = False) -> tuple[str, str]:
    if isinstance(figure, NotMeasured):
        return "–", figure.not_measurable
    text = as_percent if percent else as_score
    return text(figure.value), figure.text(text)


def _short(figure: Figure) -> str:
    return _cells(figure, percent=True)[0]


def _method(name: str) -> str:
    return f"{name} (peer)" if METHODS[name].startswith("peer") else name
