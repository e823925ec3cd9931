"""The rules of the house: imports point down, rooms stay small, torch stays in its room, the library knows no API."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = (
    {"errors", "vocabulary", "threads", "addresses", "arrays", "sightings"},
    {"estimates", "files", "settings"},
    {"calibration", "delivery", "imaging"},
    {"catalog", "detector", "sources"},
    {"copies"},
    {"heads", "index", "provenance", "upkeep"},
    {"exchange", "ingest", "verdict"},
    {"search"},
    {"workspace"},
    {"campaigns", "examine", "testing"},
    {"accounts", "enrichment", "evaluation", "review", "watching"},
    {"reindex"},
    {"cli"},
    {"demo"},
)
"""The folders of `indexer/`, from the ground up. A room imports from itself and from floors below, nothing else."""
ENTRY_POINTS = Path("indexer/cli/app.py")
"""The one place that may name modules in strings: commands are imported when they are run, so that --help is fast."""
WITH_TORCH = ("indexer/detector/", "indexer/copies/descriptor/")
WITH_OPENCV = (
    "indexer/copies/descriptor/training/",
    "indexer/copies/features/",
    "indexer/copies/verification/",
    "indexer/demo/",
    "indexer/detector/training/",
    "indexer/examine/",
    "indexer/provenance/",
)
SPARE = {"__init__", "__main__"}
MODULES = sorted(ROOT.glob("indexer/**/*.py"))
API = sorted(ROOT.glob("search_api/**/*.py"))
OTHERS = sorted([*ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("tests/**/*.py")])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


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


def strings(path: Path) -> Iterator[str]:
    """The strings of a module that are not docstrings: what an import could be hidden in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    here = room(path)
    if here == "__init__":  # the package's face may name every room; it imports them when asked
        return
    for name in imported(path):
        parts = name.split(".")
        assert parts[0] != "search_api", "the library never imports the API"
        if parts[0] != "indexer" or len(parts) < 2 or parts[1] in (here, "__version__"):
            continue
        assert floor(parts[1]) < floor(here), f"{here} imports {name}"


@pytest.mark.parametrize("path", [*MODULES, *API], ids=name_of)
def test_no_import_hides_in_a_string(path: Path) -> None:
    if path.relative_to(ROOT) == ENTRY_POINTS:
        return
    for text in strings(path):
        package = text.split(":")[0].split(".")
        if package[0] not in ("indexer", "search_api") or len(package) < 2:
            continue
        here = path.relative_to(ROOT).parts
        own = here[0] == package[0] and (here[0] == "search_api" or here[1] == package[1])
        assert own or path.name == "__init__.py", f"{text!r} names a module outside this room"


@pytest.mark.parametrize("path", [*MODULES, *API], ids=name_of)
def test_only_the_rooms_of_networks_know_torch_and_few_know_opencv(path: Path) -> None:
    packages = {name.split(".")[0] for name in imported(path)}
    assert name_of(path).startswith(WITH_TORCH) or not packages & {"torch", "torchvision", "timm"}
    assert name_of(path).startswith(WITH_OPENCV) or "cv2" not in packages


@pytest.mark.parametrize("path", [*MODULES, *API], ids=name_of)
def test_a_file_of_the_packages_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350, "it has two subjects: split it"


@pytest.mark.parametrize("path", OTHERS, ids=name_of)
def test_a_benchmark_or_a_test_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, "it has two subjects: split it"


@pytest.mark.parametrize("folder", sorted({path.parent for path in [*MODULES, *API]}), ids=name_of)
def test_a_room_has_at_most_twenty_modules(folder: Path) -> None:
    modules = [path for path in folder.glob("*.py") if path.stem not in SPARE]
    assert len(modules) <= 20, "it holds two rooms: make a folder of one"


def test_few_modules_stand_outside_a_room() -> None:
    loose = [path.name for path in (ROOT / "indexer").glob("*.py") if path.stem not in SPARE]
    assert sorted(loose) == ["errors.py", "vocabulary.py", "workspace.py"]
