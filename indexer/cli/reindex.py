"""`dejafake reindex`: a catalogue moves over to another detector."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import TypeAdapter
from rich.console import Console

from indexer.agreement import Agreement, Opinion, agreement
from indexer.catalog import detectors
from indexer.cli.output import console, plain, progress, steps, table
from indexer.detector.registry import SPECS
from indexer.errors import DejafakeError
from indexer.index import IndexStatus, SearchIndex
from indexer.reindex import Reindex, ReindexPlan, ReindexReport
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
    epilog="Interrupted or killed, it goes on where it was when the same command is run again. Searches go on "
    "meanwhile, with the detector they use."
)
@click.option(
    "--detector",
    "name",
    metavar="NAME|FOLDER",
    help="Detector to move to: a name from `dejafake detector list`, or a folder. Default: the one in use.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Look at no more than so many images: a trial.")
@click.option("--dry-run", is_flag=True, help="Say how many images there are to do and about how long it takes.")
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
            detector = load_detector(
                settings, chosen, progress=lambda file, done, total: update(file, done, total or 0)
            )
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
            click.echo("dejafake: interrupted; what was embedded is kept: run the same command to go on", err=True)
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
    old = in_use if in_use in others else max(others, key=lambda one: others[one])
    with steps("compare") as update:
        return agreement(
            workspace.catalog,
            old,
            detector.fingerprint,
            progress=lambda done, total: update("neighbours", done, total),
        )


def _write(path: Path | None, value: ReindexOutcome | ReindexPlan) -> None:
    if path is None:
        return
    data = TypeAdapter(type(value)).dump_json(value, indent=2) + b"\n"
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        raise DejafakeError(f"cannot write {path} ({error.strerror or error}): choose another file") from None


def _show_plan(plan: ReindexPlan) -> None:
    out = console()
    out.print(f"{plan.to_do:,} images have no embedding by", plain(plan.detector))
    if plan.without_original:
        out.print(f"  {plan.without_original:,} of them cannot be done: their originals are not kept")
    if plan.seconds is not None:
        out.print(f"  about {_duration(plan.seconds)}, from one batch on this machine as busy as it is now")


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


def _show_agreement(out: Console, found: Agreement) -> None:
    out.print(f"\nOld and new on the {found.n:,} images both have spoken of", style="bold")
    made = table("", "old", "new")
    for title, show in (
        ("detector", lambda one: one.name),
        ("fingerprint", lambda one: one.fingerprint[:16]),
        ("AUC against labels", _auc),
        ("same label among neighbours", lambda one: _share(one.same_label)),
    ):
        made.add_row(title, plain(show(found.old)), plain(show(found.new)))
    out.print(made)
    if found.spearman is not None:
        out.print(f"rank correlation of p(fake), Spearman: {found.spearman:.3f}")
    if found.same_reading is not None:
        out.print(f"same reading (p(fake) at or above 0.5, or below): {_share(found.same_reading)}")
    else:
        out.print("Scores are not compared: at least one of them is not trained.")
    near = found.neighbours
    if near is not None:
        out.print(
            f"{near.k} nearest neighbours in common, mean Jaccard: {near.jaccard:.3f}; same nearest: "
            f"{_share(near.same_nearest)} (of {near.queries:,} images drawn at random)"
        )
    _show_readings(out, found)
    out.print("Agreement says that they are alike, not that either is right.", style="dim")


def _show_readings(out: Console, found: Agreement) -> None:
    if found.readings:
        made = table("label", "images", "both fake", "both authentic", "only old fake", "only new fake")
        for row in found.readings:
            counts = (row.n, row.both_fake, row.both_authentic, row.only_old_fake, row.only_new_fake)
            made.add_row(row.label.value, *(f"{count:,}" for count in counts))
        out.print(made)
    if found.disagreements:
        made = table("largest differences", "label", "p(fake) old", "p(fake) new")
        for one in found.disagreements:
            made.add_row(one.sha256[:16], one.label.value, f"{one.p_fake_old:.3f}", f"{one.p_fake_new:.3f}")
        out.print(made)


def _auc(one: Opinion) -> str:
    if one.auc is None:
        return "not trained" if not one.trained else "needs fakes and authentic pictures"
    return f"{one.auc.value:.3f} ({one.auc.low:.3f} to {one.auc.high:.3f})"


def _share(share: float | None) -> str:
    return "not measurable" if share is None else f"{share:.1%}"
