"""The options of `dejafake show` that write where the detector's embedding looked."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from indexer.cli.output import check_folder, steps, write_file
from indexer.workspace import Workspace


def heat_map_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--heatmap` and `--heatmap-array`."""
    numbers = click.option(
        "--heatmap-array",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write the heat map's 24 x 24 shares into this NumPy file (.npy).",
    )
    drawing = click.option(
        "--heatmap",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Draw where the embedding looked into this PNG file.",
    )
    return drawing(numbers(command))


def write_heat_map(
    workspace: Workspace, sha256: str, drawing: Path | None, numbers: Path | None, *, quiet: bool
) -> str | None:
    """Writes what was asked for and returns what to say of it; None when nothing was.

    Raises:
        DejafakeError: a file cannot be written, the original is not kept, or the detector cannot be used.
    """
    paths = [path for path in (drawing, numbers) if path is not None]
    if not paths:
        return None
    for path in paths:
        check_folder(path)
    import numpy as np

    from indexer.examine.heatmap import heat_map

    with steps("heat map", quiet=quiet) as step:
        step("load the detector", 0, 2)
        workspace.detector()
        step("look", 1, 2)
        drawn = heat_map(workspace, sha256)
    if drawing is not None:
        write_file(drawing, drawn.png())
    if numbers is not None:
        buffer = io.BytesIO()
        np.save(buffer, drawn.values)
        write_file(numbers, buffer.getvalue())
    return drawn.note
