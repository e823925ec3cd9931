"""The rules of the house: imports point down, torch stays in its room, the API is above the library."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    {"errors", "vocabulary", "settings", "threads", "prefetch"},
    {"imaging", "calibration", "webhooks"},
    {"provenance", "sources", "catalog", "vectors", "detector", "difference", "regions"},
    {"index"},
    {
        "relations",
        "findings",
        "file_origin",
        "evidence",
        "limitations",
        "listed",
        "active_calibration",
        "verdict",
        "answers",
        "probing",
        "matching",
        "search",
        "ingest_report",
        "pipeline",
        "heads",
    },
    {"workspace"},
    {
        "campaigns",
        "exchange",
        "enrichment",
        "watching",
        "evaluation",
        "reindex",
        "agreement",
        "calibration_run",
        "head_training",
        "heatmap",
        "comparison",
        "region_search",
    },
    {"demo", "cli"},
]
"""From the ground up. A room may import from floors below and from itself; on SIDEWAYS floors, from neighbours too."""
SIDEWAYS = {0, 4, 6, 7}
MODULES = sorted(ROOT.glob("indexer/**/*.py"))


def floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def room(path: Path) -> str:
    return path.relative_to(ROOT / "indexer").parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for name in imported(path):
        parts = name.split(".")
        assert parts[0] != "search_api", "the library never imports the API"
        if parts[0] != "indexer" or len(parts) < 2 or parts[1] in (here, "__version__"):
            continue
        level = floor(here)
        below = floor(parts[1]) < level
        assert below or (floor(parts[1]) == level and level in SIDEWAYS), f"{here} imports {name}"


@pytest.mark.parametrize(
    "path",
    [path for path in [*MODULES, *sorted(ROOT.glob("search_api/**/*.py"))] if "detector" not in path.parts],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_only_the_detector_room_knows_torch(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & {"torch", "torchvision", "timm"}
