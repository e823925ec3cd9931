"""The reliability diagram of a calibration as SVG that can stand inside an HTML page."""

from io import StringIO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from indexer.calibration.records import Bin, Calibration


def reliability_svg(calibration: Calibration) -> str:
    """An `<svg>` element: share of fakes found over probability predicted, before and after, of held-out pictures."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _panel(left, calibration.check.reliability_before, "before: the detector's own score", "#b45309")
    _panel(right, calibration.check.reliability, f"after: {calibration.scores.method.value}, held out", "#0369a1")
    left.set_ylabel("share of fakes found")
    figure.suptitle(
        f"{calibration.detector} on {calibration.data_set}: {calibration.fake} fake, {calibration.authentic} authentic",
        parse_math=False,
        fontsize=10,
    )
    drawn = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": calibration.fingerprint, "svg.fonttype": "path"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    text = drawn.getvalue()
    return text[text.index("<svg") :]


def _panel(axes: Axes, bins: tuple[Bin, ...], title: str, colour: str) -> None:
    axes.plot([0, 1], [0, 1], color="#9ca3af", linewidth=1, linestyle="--")
    observed = [bin_.observed.value for bin_ in bins]
    reach = (
        [bin_.observed.value - bin_.observed.bounds[0] for bin_ in bins],
        [bin_.observed.bounds[1] - bin_.observed.value for bin_ in bins],
    )
    axes.errorbar(
        [bin_.predicted for bin_ in bins], observed, yerr=reach, fmt="o", color=colour, markersize=4, capsize=2
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="probability of fake", title=title)
    axes.grid(visible=True, alpha=0.3)
