"""`dejafake calibrate`: what scores mean on one's own pictures."""

from pathlib import Path

import click
from pydantic import TypeAdapter
from rich.console import Console

from indexer.calibration import Calibration, CalibrationVersion, Estimate, OriginBand, OriginMap
from indexer.calibration.fit import METHODS, CalibrationOptions
from indexer.catalog.detections import calibrations
from indexer.cli.catalogue.label_words import map_label_option, tell_words
from indexer.cli.output import SEED, WHOLE, console, json_option, plain, print_json, steps, table, when, write_file
from indexer.cli.roots import root_option
from indexer.errors import NotFoundError, UsageError
from indexer.evaluation.calibrating import check_trained, run_calibration
from indexer.settings import Settings
from indexer.sources.label_words import LabelWords, WordCount
from indexer.workspace import Workspace

_STANDARD_OUTPUT = Path("-")
_FIT = "fit"


class _ShortForm(click.Group):
    """`dejafake calibrate WHAT` is short for `dejafake calibrate fit WHAT`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts `fit` before what is no subcommand."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_FIT, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ShortForm, subcommand_metavar="WHAT [OPTIONS] | COMMAND [ARGS]…")
def calibrate() -> None:
    """Measure what the detector's scores mean on your own labelled pictures. Searches then say how sure they are.

    \b
    dejafake calibrate labelled.csv              the same as `dejafake calibrate fit labelled.csv`
    dejafake calibrate fit --help                its options
    """


@calibrate.command(_FIT)
@click.argument("what")
@click.option("--fpr", default=0.05, show_default=True, help="Largest share of authentic pictures to call fake.")
@click.option("--fnr", default=0.05, show_default=True, help="Largest share of fakes to call authentic.")
@click.option(
    "--method", type=click.Choice(METHODS), default="auto", show_default=True, help="How a score becomes a probability."
)
@click.option("--precision", default=0.95, show_default=True, help="Precision required to call a likeness confirmed.")
@click.option(
    "--suggested-precision", default=0.8, show_default=True, help="Precision required to call a likeness suggested."
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of folds and resamples.")
@map_label_option
@root_option
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write it as JSON; - prints it.")
@click.option("--plot", type=click.Path(path_type=Path), help="Write the reliability diagram as SVG.")
@click.pass_obj
def fit(
    settings: Settings,
    what: str,
    fpr: float,
    fnr: float,
    method: str,
    precision: float,
    suggested_precision: float,
    seed: int,
    words: LabelWords,
    roots: tuple[Path, ...],
    json_file: Path | None,
    plot: Path | None,
) -> None:
    """Calibrate the detector in use on WHAT: a labelled manifest, folder or archive, `collection:NAME`, or `catalogue`.

    The result is stored as the next version and used from then on. Probabilities hold for pictures like these, where
    about as many are fake. --method auto takes the best by cross-validated log loss; isotonic needs 200 pictures of
    each class. A column `group` in a manifest keeps what was made from the same picture together.

    \b
    dejafake calibrate labelled.csv --fpr 0.01 --plot reliability.svg
    dejafake calibrate collection:desk-2026
    """
    for path in (json_file, plot):
        if path is not None and path != _STANDARD_OUTPUT and (path.is_dir() or not path.resolve().parent.is_dir()):
            raise UsageError(f"{path} is not a file that can be written: choose one in an existing folder")
    if plot == _STANDARD_OUTPUT:
        raise UsageError("--plot needs a file to write to; only --json takes - for standard output")
    options = CalibrationOptions(method, fpr, fnr, precision, suggested_precision, seed)
    quiet = json_file == _STANDARD_OUTPUT
    with Workspace(settings) as workspace, steps("calibrate", quiet=quiet) as update:
        heard: list[WordCount] = []
        stored = run_calibration(workspace, what, options, update, words=words, roots=roots, heard=heard.extend)
    tell_words(heard, quiet=quiet)
    if plot is not None:
        from indexer.calibration.diagram import reliability_svg

        _write(plot, reliability_svg(stored.calibration))
    if quiet:
        print_json(stored)
        return
    if json_file is not None:
        _write(json_file, TypeAdapter(CalibrationVersion).dump_json(stored, indent=2).decode() + "\n")
    out = console()
    _describe(out, stored, active=True)
    for written in (json_file, plot):
        if written is not None:
            out.print("written:", plain(written))


@calibrate.command("list")
@json_option
@click.pass_obj
def list_all(settings: Settings, as_json: bool) -> None:
    """List the calibrations of the detector in use, the newest first; * is the one searches use."""
    with Workspace(settings) as workspace, workspace.catalog.reading() as session:
        stored: tuple[CalibrationVersion, ...] = calibrations.list(session, workspace.resolved.fingerprint)
        active = calibrations.active_version(session, workspace.resolved.fingerprint)
    if as_json:
        print_json(stored)
        return
    if not stored:
        check_trained(workspace.resolved.spec)
        console().print("No calibrations: scores are uncalibrated. Make one with `dejafake calibrate WHAT`.")
        return
    listing = table("", "version", "data set", "fake", "authentic", "method", "false positives", "measured", "retired")
    for version in stored:
        measured = version.calibration
        listing.add_row(
            "*" if version.version == active else "",
            str(version.version),
            plain(measured.data_set),
            str(measured.fake),
            str(measured.authentic),
            measured.scores.method.value,
            f"≤ {measured.zone.stated_false_positive_rate:.1%}",
            when(measured.measured_at),
            when(version.retired_at),
        )
    console().print(listing)


@calibrate.command()
@click.argument("version", type=WHOLE, required=False)
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write the reliability diagram as SVG.")
@json_option
@click.pass_obj
def show(settings: Settings, version: int | None, plot: Path | None, as_json: bool) -> None:
    """Show the calibration VERSION, by default the one searches use: what was measured, on what, and how precisely."""
    with Workspace(settings) as workspace, workspace.catalog.reading() as session:
        fingerprint = workspace.resolved.fingerprint
        active = calibrations.active_version(session, fingerprint)
        number = version or active
        if number is None:
            raise NotFoundError("no calibration is in use: make one with `dejafake calibrate WHAT`")
        stored = calibrations.get(session, fingerprint, number)
    if plot is not None:
        from indexer.calibration.diagram import reliability_svg

        _write(plot, reliability_svg(stored.calibration))
    if as_json:
        print_json(stored)
    else:
        _describe(console(), stored, active=stored.version == active)


@calibrate.command()
@click.argument("version", type=WHOLE)
@click.pass_obj
def retire(settings: Settings, version: int) -> None:
    """Take the calibration VERSION out of use; the newest of those left is used then. It stays on record."""
    with Workspace(settings) as workspace:
        fingerprint = workspace.resolved.fingerprint
        with workspace.catalog.writing() as session:
            calibrations.retire(session, fingerprint, version)
            left = calibrations.active_version(session, fingerprint)
    now = "scores are uncalibrated from now on" if left is None else f"searches use version {left} from now on"
    console().print(f"Version {version} is retired: {now}.")


def _describe(out: Console, stored: CalibrationVersion, *, active: bool) -> None:
    measured = stored.calibration
    state = (
        "in use" if active else f"retired {when(stored.retired_at)}" if stored.retired_at else "replaced by a newer one"
    )
    grouped = f", in {measured.groups} groups" if measured.groups else ""
    facts = table("", "")
    facts.show_header = False
    for name, value in (
        ("calibration", f"version {stored.version}, {state}"),
        ("detector", f"{measured.detector}, {measured.fingerprint[:16]}"),
        ("measured", f"{when(measured.measured_at)}, dejafake {measured.made_with}, seed {measured.seed}"),
        ("on", f"{measured.data_set}: {measured.fake} fake, {measured.authentic} authentic{grouped}"),
        ("method", _method(measured)),
        *_zone(measured),
        *_likeness(measured),
    ):
        facts.add_row(name, plain(value))
    out.print(facts)
    check = table("held out", "before", "after", title="\nProbabilities of pictures the fit had not seen; 0 is best")
    for name, before, after in (
        ("Brier score", measured.check.before.brier, measured.check.after.brier),
        ("log loss", measured.check.before.log_loss, measured.check.after.log_loss),
        ("calibration error", measured.check.before.ece, measured.check.after.ece),
    ):
        check.add_row(name, _with_interval(before), _with_interval(after))
    out.print(check)
    out.print(
        f"\nProbabilities hold for pictures like these, of which {measured.fake_share:.0%} are fake. A score is a "
        "signal, not proof.",
        style="dim",
    )


def _method(measured: Calibration) -> str:
    scores, how = measured.scores, "" if measured.requested_method != "auto" else ", by cross-validated log loss"
    if scores.slope is None or scores.intercept is None:
        return f"isotonic, {len(scores.knots)} knots{how}"
    shift = f", intercept {scores.intercept:.3f}" if scores.intercept else ""
    return f"{scores.method.value}, slope {scores.slope:.3f}{shift}{how}"


def _zone(measured: Calibration) -> list[tuple[str, str]]:
    zone = measured.zone
    lines = [
        (
            "leans fake",
            f"above log-odds {zone.fake_above:.3f}; authentic pictures above it: {_rate(zone.false_positive_rate)} of "
            f"{zone.effective_authentic:.0f} independent ones, stated at most {zone.stated_false_positive_rate:.1%}",
        )
    ]
    if zone.authentic_below is None or zone.false_negative_rate is None:
        few = f"{zone.effective_fake:.0f} independent fakes cannot support {zone.stated_false_negative_rate:.1%}"
        return [*lines, ("leans authentic", f"never: {few}")]
    return [
        *lines,
        (
            "leans authentic",
            f"below log-odds {zone.authentic_below:.3f}; fakes below it: {_rate(zone.false_negative_rate)} of "
            f"{zone.effective_fake:.0f} independent ones, stated at most {zone.stated_false_negative_rate:.1%}",
        ),
    ]


def _likeness(measured: Calibration) -> list[tuple[str, str]]:
    origin = measured.same_origin
    if origin is None:
        return [("same origin", f"not measured: {measured.origin_missing}")]
    return [
        (
            "same origin",
            f"the same {origin.kind}, on {origin.pairs} pairs: {origin.pictures} pictures with their "
            f"{origin.neighbours} nearest fakes, of {origin.origins} {origin.kind}s; {origin.base_rate:.1%} share it",
        ),
        ("  confirmed", _band(origin, origin.confirmed, origin.stated_confirmed)),
        ("  suggested", _band(origin, origin.suggested, origin.stated_suggested)),
    ]


def _band(origin: OriginMap, band: OriginBand | None, stated: float) -> str:
    if band is None:
        return f"never: no cosine meets a precision of {stated:.0%}"
    chance = origin.probability(band.min_cosine)
    return (
        f"from cosine {band.min_cosine:.3f} (probability {chance:.2f} there): precision {_rate(band.held_out)} over "
        f"{band.pairs} pairs, stated at least {stated:.0%}"
    )


def _rate(estimate: Estimate) -> str:
    return f"{estimate.value:.1%} ({estimate.text('{:.1%}'.format)})"


def _with_interval(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} ({estimate.text('{:.4f}'.format)})"


def _write(path: Path, text: str) -> None:
    write_file(path, text.encode())
