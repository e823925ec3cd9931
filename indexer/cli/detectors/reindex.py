"""`dejafake reindex`: a catalogue moves over to another detector."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import TypeAdapter
from rich.console import Console

from indexer.catalog.detections import detectors
from indexer.cli.output import WHOLE, console, plain, progress, steps, table, write_file
from indexer.cli.terminal import echo
from indexer.detector.registry import SPECS
from indexer.index import IndexStatus, SearchIndex
from indexer.reindex.agreement import Agreement, Opinion, agreement
from indexer.reindex.run import Reindex, ReindexPlan, ReindexReport
from indexer.settings import Settings
from indexer.workspace import Workspace

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.detector import Detector

GO_ON = 130
"""Exit code of an interrupted command."""


@dataclass(frozen=True, slots=True)
class ReindexOutcome:
    """What `--json` writes. `agreement` is None when no other detector has embeddings here."""

    report: ReindexReport
    index: IndexStatus
    agreement: Agreement | None


@click.command(
    epilog="If interrupted, run the same command again: it continues where it stopped. Searches work while it runs, "
    "with the current detector."
)
@click.option(
    "--detector",
    "name",
    metavar="NAME|FOLDER",
    help="Detector to move to: a name from `dejafake detector list`, or a folder. Default: the one in use.",
)
@click.option("--limit", type=WHOLE, help="Process at most this many images, for a trial.")
@click.option("--dry-run", is_flag=True, help="Print how many images are left to embed and how long that will take.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Also write the outcome to this file."
)
@click.pass_obj
def reindex(settings: Settings, name: str | None, limit: int | None, dry_run: bool, json_file: Path | None) -> int:
    """Move the catalogue over to another detector.

    Embeds every kept original with it, beside the embeddings that are there; builds its index; says how the new
    detector and the old one agree; and prints how to switch. Images it cannot embed are listed in a file.

    \b
    dejafake reindex --detector community-forensics-384 --dry-run
    dejafake reindex --detector community-forensics-384 --json agreement.json
    """
    from indexer.detector import load_detector

    with Workspace(settings) as workspace:
        chosen = name or settings.detector
        with steps("load the detector") as update:
            detector = load_detector(settings, chosen, progress=update)
        job = Reindex(workspace, detector)
        if dry_run:
            with steps("look"):
                plan = job.plan()
            _write(json_file, plan)
            _show_plan(plan)
            return 0
        todo = job.count()
        try:
            with progress(f"embed with {detector.spec.name}", min(todo, limit or todo)) as advance:
                report = job.run(advance, limit=limit)
            status = _build(workspace, detector, report)
            compared = _compare(workspace, detector)
        except KeyboardInterrupt:
            echo("dejafake: interrupted; finished work is kept: run the same command again to continue", err=True)
            return GO_ON
    outcome = ReindexOutcome(report, status, compared)
    _write(json_file, outcome)
    _show(outcome, chosen, in_use=detector.fingerprint == workspace.resolved.fingerprint)
    return 1 if report.rejected and not status.catalogue_count else 0


def _build(workspace: Workspace, detector: "Detector", report: ReindexReport) -> IndexStatus:
    """The index of the new detector, brought up to date and built anew when this run added to it."""
    index = SearchIndex(workspace.catalog, workspace.settings, detector.fingerprint)
    try:
        with steps("build the index"):
            if report.embedded:
                return index.build()
            index.bring_up_to_date()
            return index.status()
    finally:
        index.close()


def _compare(workspace: Workspace, detector: "Detector") -> Agreement | None:
    """With the detector in use; when that is the new one already, with the one that has spoken of most images."""
    with workspace.catalog.reading() as session:
        entries = [entry for entry in detectors.list(session) if entry.fingerprint != detector.fingerprint]
    others = {entry.fingerprint: entry.embeddings for entry in entries if entry.embeddings}
    if not others:
        return None
    in_use = workspace.resolved.fingerprint
    old = in_use if in_use in others else max(others, key=lambda fingerprint: others[fingerprint])
    with steps("compare") as update:
        return agreement(
            workspace.catalog,
            old,
            detector.fingerprint,
            progress=update,
        )


def _write(path: Path | None, value: ReindexOutcome | ReindexPlan) -> None:
    if path is None:
        return
    data = TypeAdapter(type(value)).dump_json(value, indent=2) + b"\n"
    write_file(path, data)


def _show_plan(plan: ReindexPlan) -> None:
    out = console()
    out.print(f"{plan.to_do:,} images have no embedding by", plain(plan.detector))
    if plan.without_original:
        out.print(f"  {plan.without_original:,} of them cannot be embedded: their originals were not kept")
    if plan.seconds is not None:
        out.print(f"  about {_duration(plan.seconds)}, estimated from one batch at the current load")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5_400 else f"{seconds / 3_600:.1f} hours"


def _show(outcome: ReindexOutcome, chosen: str, *, in_use: bool) -> None:
    out, report = console(), outcome.report
    rate = report.embedded / report.seconds if report.seconds else 0.0
    out.print(plain(report.detector), plain(report.fingerprint[:16]), style="bold")
    speed = f", {rate:.1f} a second" if report.embedded else ""
    out.print(f"  {report.embedded:,} embedded by this run{speed}; {report.remaining:,} left without an embedding")
    for reason, count in report.rejected.items():
        out.print(f"  {count:,} could not be embedded:", plain(reason))
    if report.rejected_file is not None:
        out.print("  which, and why:", plain(report.rejected_file))
    out.print(f"  its index holds {outcome.index.count:,} images")
    if outcome.agreement is not None:
        _show_agreement(out, outcome.agreement)
    if not in_use:
        name = chosen if chosen in SPECS else str(Path(chosen).resolve())
        out.print("\nSwitch with", plain(f"DEJAFAKE_DETECTOR={shlex.quote(name)}"), "in every process, servers too.")


def _show_agreement(out: Console, agreement: Agreement) -> None:
    out.print(f"\nOld and new on the {agreement.n:,} images that both have embedded", style="bold")
    listing = table("", "old", "new")
    for title, show in (
        ("detector", lambda detector: detector.name),
        ("fingerprint", lambda detector: detector.fingerprint[:16]),
        ("AUC against labels", _auc),
        ("same label among neighbours", lambda detector: _share(detector.same_label)),
    ):
        listing.add_row(title, plain(show(agreement.old)), plain(show(agreement.new)))
    out.print(listing)
    if agreement.spearman is not None:
        out.print(f"rank correlation of p(fake), Spearman: {agreement.spearman:.3f}")
    if agreement.same_reading is not None:
        out.print(f"same reading (p(fake) at or above 0.5, or below): {_share(agreement.same_reading)}")
    else:
        out.print("Scores are not compared: at least one of them is not trained.")
    near = agreement.neighbours
    if near is not None:
        out.print(
            f"{near.k} nearest neighbours in common, mean Jaccard: {near.jaccard:.3f}; same nearest: "
            f"{_share(near.same_nearest)} (of {near.queries:,} images drawn at random)"
        )
    _show_readings(out, agreement)
    out.print("Agreement means that they give similar results, not that either is right.", style="dim")


def _show_readings(out: Console, agreement: Agreement) -> None:
    if agreement.readings:
        listing = table("label", "images", "both fake", "both authentic", "only old fake", "only new fake")
        for row in agreement.readings:
            counts = (row.n, row.both_fake, row.both_authentic, row.only_old_fake, row.only_new_fake)
            listing.add_row(row.label.value, *(f"{count:,}" for count in counts))
        out.print(listing)
    if agreement.disagreements:
        listing = table("largest differences", "label", "p(fake) old", "p(fake) new")
        for readings in agreement.disagreements:
            listing.add_row(
                readings.sha256[:16], readings.label.value, f"{readings.p_fake_old:.3f}", f"{readings.p_fake_new:.3f}"
            )
        out.print(listing)


def _auc(estimate: Opinion) -> str:
    if estimate.auc is None:
        return "not trained" if not estimate.trained else "needs fakes and authentic pictures"
    return f"{estimate.auc.value:.3f} ({estimate.auc.text('{:.3f}'.format)})"


def _share(share: float | None) -> str:
    return "not measurable" if share is None else f"{share:.1%}"
