"""Draws a benchmark's plots as SVG, the same bytes for the same points."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

_STYLE = {"svg.hashsalt": "dejafake", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")
"""Okabe and Ito's, which colour-blind people can tell apart."""
_MARKERS = "os^Dv<>"
"""One fewer than the colours, so that no two of many series look alike."""
_INSIDE = 6
"""Most series whose legend has room among the lines."""


def draw(plot: Mapping[str, Any], path: Path) -> None:
    """Writes `plot`, a `report.Plot` as JSON, as SVG to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot()
        for number, (name, points) in enumerate(plot["series"].items()):
            across, up = zip(*points, strict=True)
            look = {"color": _COLOURS[number % len(_COLOURS)], "marker": _MARKERS[number % len(_MARKERS)]}
            axes.plot(across, up, label=name, markersize=4, linewidth=1.4, **look)
        if plot["log"]:
            axes.set_xscale("log")
            axes.set_yscale("log")
        axes.set(title=plot["title"], xlabel=plot["x"], ylabel=plot["y"])
        axes.grid(visible=True, which="major", alpha=0.3)
        beside: dict[str, Any] = (
            {} if len(plot["series"]) <= _INSIDE else {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
        )
        axes.legend(frameon=False, fontsize=8, **beside)
        figure.savefig(path, format="svg", metadata={"Date": None})
