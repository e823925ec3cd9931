"""Each of our sources passes the tests that a source of somebody else's inherits."""

import csv
import tarfile
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from indexer.imaging.limits import ImageLimits
from indexer.sources import Source, open_source
from indexer.testing import SourceTests
from tests.made_pictures import png

LIMITS = ImageLimits(max_bytes=1_000_000, max_pixels=1_000_000, max_frames=10)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, a text and an empty file in folders with names that need care."""
    root = tmp_path_factory.mktemp("sources") / "tree"
    for seed, place in enumerate(("a.png", "gan/fake/b.png", "gan/real/\x1b[2J c.png")):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(png(seed))
    (root / "notes.txt").write_text("not a picture")
    (root / "empty.png").touch()
    return root


class TestAFolder(SourceTests):
    @pytest.fixture
    def source(self, tree: Path) -> Source:
        return open_source(tree, LIMITS)


class TestAManifest(SourceTests):
    @pytest.fixture
    def source(self, tree: Path) -> Source:
        rows: list[list[str]] = [
            ["path", "label", "url", "posted_at", "sha256", "desk"],
            ["a.png", "fake", "https://example.org/1", "2026-03-02T09:30:00+02:00", sha256(png(0)).hexdigest(), "two"],
            ["gan/fake/b.png", "phony?", "", "02/03/2026", "", ""],
            ["../outside.png", "fake", "", "", "", ""],
            ["missing.png", "fake", "", "", "", ""],
        ]
        with (tree / "manifest.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return open_source(tree / "manifest.csv", LIMITS)


class TestAZip(SourceTests):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        with zipfile.ZipFile(tmp_path / "cases.zip", "w") as archive:
            for name in ("a.png", "gan/fake/b.png", "../../escape.png", "/etc/c.png", "notes.txt"):
                archive.writestr(name, png(1))
        return open_source(tmp_path / "cases.zip", LIMITS)


class TestATar(SourceTests):
    @pytest.fixture
    def source(self, tree: Path, tmp_path: Path) -> Source:
        with tarfile.open(tmp_path / "cases.tar.gz", "w:gz") as archive:
            archive.add(tree, "tree")
        return open_source(tmp_path / "cases.tar.gz", LIMITS)


class TestAFile(SourceTests):
    @pytest.fixture
    def source(self, tree: Path) -> Source:
        return open_source(tree / "a.png", LIMITS)


@pytest.mark.parametrize(
    ("promise", "break_it"),
    [
        ("test_reading_it_again_gives_the_same_in_the_same_order", lambda source: iter(source)),
        ("test_its_name_and_locations_can_be_shown_anywhere", lambda source: _Renamed(source, "home/me/tree")),
        ("test_it_counts_what_it_yields_or_does_not_count", lambda source: _Miscounted(source)),
    ],
)
def test_a_source_that_breaks_a_promise_fails(tree: Path, promise: str, break_it: Callable[[Source], Source]) -> None:
    with pytest.raises(AssertionError):
        getattr(SourceTests(), promise)(break_it(open_source(tree, LIMITS)))


class _Renamed:
    def __init__(self, source: Source, name: str) -> None:
        self._source, self.name = source, name

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._source)

    def count(self) -> int | None:
        return self._source.count()


class _Miscounted(_Renamed):
    def __init__(self, source: Source) -> None:
        super().__init__(source, source.name)

    def count(self) -> int | None:
        return 99
