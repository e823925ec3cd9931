"""The plots of an evaluation as SVG for a page: no script, nothing outside, colours from the page's own variables."""

import io
import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

from indexer.estimates import Estimate
from indexer.evaluation.robustness import RobustnessCurve
from indexer.evaluation.scores import ScoreFigures, Slice
from indexer.evaluation.text import shown

_INK, _SOFT, _LINE, _FAKE, _REAL = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
_VARIABLES = MappingProxyType(
    {_INK: "var(--ink)", _SOFT: "var(--soft)", _LINE: "var(--line)", _FAKE: "var(--fake)", _REAL: "var(--real)"}
)
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _SOFT,
    "axes.titlecolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.labelcolor": _INK,
    "legend.fontsize": 8,
}
_NAME = 34


def roc_plot(scores: ScoreFigures) -> Markup | None:
    """False against true positive rate; None without a curve."""
    if scores.roc is None:
        return None
    with rc_context(_STYLE):
        canvas, axes = _axes(3.6, 3.2)
        axes.plot((0, 1), (0, 1), color=_LINE, linewidth=1)
        axes.plot(scores.roc.x, scores.roc.y, color=_FAKE, linewidth=1.6)
        for point in scores.operating_points:
            axes.plot(point.max_fpr, point.tpr.value, "o", color=_INK, markersize=3)
        axes.set_title("ROC, points at the bounds on false alarms")
        _unit_square(axes, "false positive rate", "true positive rate")
        return _svg(canvas, "roc", "ROC curve")


def precision_recall_plot(scores: ScoreFigures, share_of_fakes: float) -> Markup | None:
    """Recall against precision, with the precision of calling everything fake; None without a curve."""
    if scores.precision_recall is None:
        return None
    with rc_context(_STYLE):
        canvas, axes = _axes(3.6, 3.2)
        axes.axhline(share_of_fakes, color=_LINE, linewidth=1)
        axes.plot(scores.precision_recall.x, scores.precision_recall.y, color=_FAKE, linewidth=1.6)
        axes.set_title("Precision and recall, line: call everything fake")
        _unit_square(axes, "recall", "precision")
        return _svg(canvas, "precision-recall", "Precision-recall curve")


def reliability_plot(scores: ScoreFigures) -> Markup | None:
    """Mean p(fake) against the share of fakes, one point a bin; None without scores."""
    if not scores.reliability:
        return None
    with rc_context(_STYLE):
        canvas, axes = _axes(3.6, 3.2)
        axes.plot((0, 1), (0, 1), color=_LINE, linewidth=1)
        p_fake, share = ([getattr(bin_, key) for bin_ in scores.reliability] for key in ("p_fake", "share"))
        axes.plot(p_fake, share, "o-", color=_FAKE, linewidth=1, markersize=4)
        axes.set_title("Reliability, 15 bins of equal mass")
        _unit_square(axes, "mean p(fake) of the bin", "share of fakes in the bin")
        return _svg(canvas, "reliability", "Reliability of p(fake)")


def histogram_plot(scores: ScoreFigures) -> Markup | None:
    """How p(fake) is distributed in each class, as shares of the class; None without scores."""
    if scores.histogram is None:
        return None
    with rc_context(_STYLE):
        canvas, axes = _axes(3.6, 3.2)
        for label, counts, colour in (
            ("authentic", scores.histogram.authentic, _REAL),
            ("fake", scores.histogram.fake, _FAKE),
        ):
            total = sum(counts)
            if total:
                edges = [number / len(counts) for number in range(len(counts) + 1)]
                axes.stairs([count / total for count in counts], edges, color=colour, linewidth=1.4, label=label)
        axes.axvline(scores.threshold, color=_INK, linewidth=0.8, linestyle=":")
        axes.set(xlim=(0, 1), xlabel="p(fake)", ylabel="share of the class", title="Scores, dotted: the threshold")
        axes.set_ylim(bottom=0)
        axes.legend(loc="best")
        return _svg(canvas, "histogram", "p(fake) by class")


def slices_plot(slices: Sequence[Slice]) -> Markup | None:
    """The AUC of each slice with its interval; None when none could be measured."""
    known = [(entry, entry.roc_auc) for entry in slices if isinstance(entry.roc_auc, Estimate)][::-1]
    if not known:
        return None
    with rc_context(_STYLE):
        canvas, axes = _axes(7.4, 0.7 + 0.27 * len(known))
        for row, (_, auc) in enumerate(known):
            if auc.interval is not None:
                axes.plot(auc.interval, (row, row), color=_SOFT, linewidth=1.2)
            axes.plot(auc.value, row, "o", color=_FAKE, markersize=4.5)
        axes.axvline(0.5, color=_SOFT, linewidth=0.8, linestyle=":")
        names = [f"{shown(entry.name, _NAME)} ({entry.by}, {entry.fakes})" for entry, _ in known]
        axes.set_yticks(range(len(known)), names)
        axes.grid(visible=False, axis="y")
        axes.set(xlabel="ROC AUC, 95 % interval", ylim=(-0.7, len(known) - 0.3), xlim=_from_half(known))
        return _svg(canvas, "slices", "ROC AUC by generator, technique and size")


def robustness_plot(curve: RobustnessCurve) -> Markup:
    """AUC with its interval and mean p(fake) of both classes over the levels."""
    with rc_context(_STYLE):
        canvas, axes = _axes(3.6, 2.9)
        places = range(len(curve.points))
        aucs = [point.roc_auc for point in curve.points]
        known = [(position, auc) for position, auc in zip(places, aucs, strict=True) if isinstance(auc, Estimate)]
        if known:
            at = [position for position, _ in known]
            ends = [auc.interval or (auc.value, auc.value) for _, auc in known]
            low, high = [end[0] for end in ends], [end[1] for end in ends]
            axes.fill_between(at, low, high, color=_INK, alpha=0.12, linewidth=0)
            axes.plot(at, [auc.value for _, auc in known], "o-", color=_INK, markersize=3, label="ROC AUC")
        for label, field, colour in (
            ("mean p(fake), fakes", "mean_p_fake_of_fakes", _FAKE),
            ("mean p(fake), authentic", "mean_p_fake_of_authentic", _REAL),
        ):
            means = [getattr(point, field) for point in curve.points]
            if all(isinstance(value, Estimate) for value in means):
                axes.plot(places, [value.value for value in means], "--", color=colour, linewidth=1.3, label=label)
        axes.set_xticks(places, ["as is", *(f"{point.level:g}" for point in curve.points[1:])])
        axes.set(ylim=(-0.02, 1.02), xlabel=curve.unit, title=curve.degradation)
        axes.legend(loc="lower left")
        return _svg(canvas, f"robustness-{curve.degradation}", f"Robustness to {curve.degradation}")


def _from_half(known: Sequence[tuple[Slice, Estimate]]) -> tuple[float, float]:
    return min(0.48, min((auc.interval or (auc.value,))[0] for _, auc in known) - 0.02), 1.01


def _axes(width: float, height: float) -> tuple[Canvas, Any]:
    """A canvas of this size in inches with one pair of axes."""
    canvas = Canvas(figsize=(width, height), layout="constrained")
    canvas.patch.set_alpha(0)
    axes = canvas.subplots()
    axes.patch.set_alpha(0)
    return canvas, axes


def _unit_square(axes: Any, x: str, y: str) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=x, ylabel=y)


def _svg(canvas: Canvas, name: str, label: str) -> Markup:
    """The canvas as an `<svg>` element whose ids are its own on the page."""
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": name}):
        canvas.savefig(buffer, format="svg", transparent=True, metadata=dict.fromkeys(_METADATA))
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(xlink:href="|href="|url\()#', rf"\1#{name}-", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    head, body = text.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    return Markup(f'{head} role="img" aria-label="{label}">{body}')  # noqa: S704 - matplotlib escapes what it draws


_METADATA = ("Date", "Creator", "Format", "Type")
