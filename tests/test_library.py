"""The library is what `indexer.__all__` names: light, typed, documented, and all that docs and notebooks use."""

import ast
import operator
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

import indexer
from indexer import Settings, Workspace
from tests.made_pictures import encoded, png, recompressed, scene

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "library.md"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
OPEN_ROOMS = ("indexer", "indexer.testing")
"""What may be imported from outside."""

LIGHT = """
import sys
import indexer
heavy = {"numpy", "PIL", "sqlalchemy", "pydantic", "torch"} & set(sys.modules)
assert not heavy, heavy
from indexer import IngestOptions, SearchOptions, Settings, Workspace, open_source
assert not {"torch", "timm", "cv2", "matplotlib"} & set(sys.modules)
"""


def code_of(page: Path) -> list[str]:
    """The Python in a page or a notebook."""
    if page.suffix == ".ipynb":
        cells = nbformat.read(page, as_version=4).cells
        return [re.sub(r"^%.*$", "", cell.source, flags=re.M) for cell in cells if cell.cell_type == "code"]
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def imported(code: str) -> Iterator[tuple[str, str]]:
    """Modules that a text imports from, each with the name it takes."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, name.name) for name in node.names)
        elif isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names)


@pytest.mark.parametrize("name", indexer.__all__)
def test_a_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(indexer, name) is not None
    prose = re.sub(r"^```.*?^```", "", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", prose), f"docs/library.md says nothing of {name}"


def test_what_type_checkers_read_is_what_runs() -> None:
    tree = ast.parse(Path(indexer.__file__).read_text(encoding="utf-8"))
    (checked,) = [node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name)]
    read = {
        alias.asname: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert {**read, "__version__": None}.keys() == set(indexer.__all__)
    for name, module in read.items():
        assert indexer._MODULE_OF[name] == module, name


def test_a_name_that_is_not_public_is_refused_as_any_missing_one() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Sesame'"):
        getattr(indexer, "Sesame")  # noqa: B009
    assert set(indexer.__all__) <= set(dir(indexer))


def test_importing_the_library_is_light_and_opening_it_loads_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda path: path.name)
def test_docs_and_notebooks_import_nothing_deeper(page: Path) -> None:
    for code in code_of(page):
        for module, name in imported(code):
            if module.split(".")[0] in ("indexer", "search_api"):
                assert module in OPEN_ROOMS, f"{page.name} imports {name} from {module}"
                assert module != "indexer" or name in indexer.__all__, f"{page.name}: {name} is not public"


def test_both_packages_say_that_they_are_typed_in_wheel_and_sdist() -> None:
    assert (ROOT / "indexer" / "py.typed").exists()
    assert (ROOT / "search_api" / "py.typed").exists()
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert {"indexer", "search_api"} <= set(targets["wheel"]["packages"]) & set(targets["sdist"]["include"])


def test_the_code_of_the_guide_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fakes = tmp_path / "cases" / "my-generator" / "fake"
    fakes.mkdir(parents=True)
    for seed in range(3):
        (fakes / f"{seed}.png").write_bytes(png(seed))
        (fakes / f"{seed}-shared.jpg").write_bytes(recompressed(seed))
    (tmp_path / "suspicious.jpg").write_bytes(encoded(scene(1).resize((300, 225)), "JPEG"))
    known: dict[str, object] = {"__name__": "guide"}
    for number, code in enumerate(code_of(GUIDE), 1):
        exec(compile(code, f"docs/library.md, block {number}", "exec"), known)


def test_what_the_guide_says_of_a_workspace_is_there(tmp_path: Path) -> None:
    table = GUIDE.read_text(encoding="utf-8").split("| of a workspace |")[1].split("\n\n")[0]
    with Workspace(Settings.load(home=tmp_path)) as workspace:
        for cell in re.findall(r"^\| (.+?) \|", table, re.MULTILINE)[1:]:
            owner: object = workspace
            for code in re.findall(r"`([\w.]+)", cell):
                first, _, rest = code.rpartition(".")
                owner = operator.attrgetter(first)(workspace) if first else owner
                assert hasattr(owner, rest), code
