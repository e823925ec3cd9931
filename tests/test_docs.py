"""Nothing a user can set, type or request is undocumented, and the links in the docs lead somewhere."""

import re
import runpy
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
PAGES = runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_reference_pages_are_what_the_code_says(page: str) -> None:
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == PAGES[page](), "run `make docs`"


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "RELEASE.md",
        "SECURITY.md",
        *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")),
    ],
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), f"{page} links to {target}"


def test_the_pictures_of_the_workbench_exist_are_small_and_are_shown() -> None:
    command = runpy.run_path(str(ROOT / "docs" / "screenshots.py"))
    names = {f"{name}.webp" for name in command["PAGES"]}
    folder = ROOT / "docs" / "pictures"
    assert {path.name for path in folder.glob("*.webp")} == names, "run `make screenshots`"
    shown = (ROOT / "docs" / "workbench.md").read_text(encoding="utf-8")
    for name in names:
        with Image.open(folder / name) as picture:
            assert (picture.format, picture.width) == ("WEBP", 1280)
        assert (folder / name).stat().st_size <= command["MAX_BYTES"] == 150_000
        assert f"](pictures/{name})" in shown, name
    first = re.search(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert first is not None
    assert first.group(1) == "docs/pictures/ask.webp"
