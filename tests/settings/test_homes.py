"""A home may be any legal path: its catalogue, files, index and locks lie in it and nowhere else."""

from pathlib import Path

import pytest

from indexer.catalog.database import Catalog
from indexer.errors import DejafakeError
from indexer.ingest.report import IngestOptions
from indexer.settings import Settings
from indexer.sources.items import SourceItem
from indexer.workspace import Workspace
from tests.made_pictures import png

NAMES = ["a b", "ünï-日本", "a?b", "a%3Fb", "100%", "a#b", "a\nb", "a?mode=memory", "file:x", "a'\"[b]*", "x" * 200]


@pytest.fixture
def common(untrained_detector: Path) -> dict[str, object]:
    return {"detector": str(untrained_detector), "precision": "fp32"}


def item(seed: int) -> SourceItem:
    return SourceItem(
        source="test",
        location=f"{seed}.png",
        read=lambda: png(seed),
        value=None,
        technique=None,
        generator=None,
        label_reason=None,
        sighting=None,
        expected_sha256=None,
        collections=(),
        fields={},
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_catalogue_is_made_in_its_home_and_nothing_beside_it(
    tmp_path: Path, name: str, common: dict[str, object]
) -> None:
    home = tmp_path / "parent" / name
    with Workspace(Settings.load(home=home, **common)) as workspace:
        assert workspace.index.build().state == "ready"
    assert (home / "catalogue.sqlite").is_file()
    assert [path.name for path in (tmp_path / "parent").iterdir()] == [name]


def test_two_homes_of_similar_names_share_nothing(tmp_path: Path, common: dict[str, object]) -> None:
    one, other = (Settings.load(home=tmp_path / name, **common) for name in ("a?b", "a?c"))
    with Workspace(one) as workspace:
        assert workspace.ingest(IngestOptions()).run([item(1)]).added == 1
        assert workspace.index.build().count == 1
    with Workspace(other) as workspace:
        assert workspace.index.status().catalogue_count == 0


def test_a_path_that_is_too_long_is_one_line(tmp_path: Path, common: dict[str, object]) -> None:
    with pytest.raises(DejafakeError, match="cannot make the home folder") as caught:
        Workspace(Settings.load(home=tmp_path / ("x" * 300), **common))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "earlier"), [("a?b", "a"), ("a%3Fb", "a?b/catalogue.sqlite")])
def test_a_catalogue_that_an_earlier_version_put_elsewhere_is_not_left_behind(
    tmp_path: Path, name: str, earlier: str, common: dict[str, object]
) -> None:
    given = Settings.load(home=tmp_path / name, **common)
    (tmp_path / earlier).parent.mkdir(exist_ok=True)
    Catalog.open(Settings(home=tmp_path / "made").catalog_url).close()
    (tmp_path / "made" / "catalogue.sqlite").rename(tmp_path / earlier)
    with pytest.raises(DejafakeError, match=r"copy that file.*upgrading\.md") as caught:
        Workspace(given)
    assert "\n" not in str(caught.value)
    (tmp_path / earlier).rename(given.catalogue_file)
    Workspace(given).close()


def test_a_file_of_someone_else_in_the_earlier_place_changes_nothing(tmp_path: Path, common: dict[str, object]) -> None:
    (tmp_path / "a").write_text("mine")
    Workspace(Settings.load(home=tmp_path / "a?b", **common)).close()
