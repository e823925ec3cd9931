"""An evaluation as one self-contained HTML page: no script, nothing loaded, all outside text escaped."""

from functools import cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from indexer.estimates import Estimate, Figure, NotMeasured
from indexer.evaluation import plots
from indexer.evaluation.report import Evaluation
from indexer.evaluation.retrieval import METHODS, Recall
from indexer.evaluation.text import as_percent, as_score, shown

_FIRST_PLOTS = (plots.roc_plot, plots.histogram_plot, plots.reliability_plot)


def evaluation_page(evaluation: Evaluation) -> str:
    """The page."""
    pictures, scores = evaluation.pictures, evaluation.scores
    curves = [plot(scores) for plot in _FIRST_PLOTS]
    curves.insert(1, plots.precision_recall_plot(scores, pictures.fakes / pictures.pictures))
    return (
        _environment()
        .get_template("evaluation.html.jinja")
        .render(
            one=evaluation,
            curves=[curve for curve in curves if curve is not None],
            slices_plot=plots.slices_plot(evaluation.slices),
            robustness_plots=[plots.robustness_plot(curve) for curve in evaluation.robustness],
            recall=_by_alteration(evaluation.retrieval.recall),
            methods=METHODS,
        )
    )


def _by_alteration(recall: tuple[Recall, ...]) -> list[tuple[str, dict[str, Recall]]]:
    return [(name, {row.method: row for row in rows}) for name, rows in groupby(recall, key=lambda row: row.alteration)]


def _cell(figure: Figure, how: str = "score") -> dict[str, Any]:
    """A figure for the page: its value and interval as text, or why there is none."""
    if isinstance(figure, NotMeasured):
        return {"value": "–", "interval": "", "why": figure.not_measurable}
    as_text = as_percent if how == "percent" else as_score
    return {"value": as_text(figure.value), "interval": figure.text(as_text), "why": ""}


@cache
def _environment() -> Environment:
    templates = Environment(
        loader=PackageLoader("indexer.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(shown=shown, cell=_cell, percent=as_percent)
    templates.tests["measured"] = lambda figure: isinstance(figure, Estimate)
    return templates
