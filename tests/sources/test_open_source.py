"""One function finds out what kind of source a path is, or says what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources import open_source


def test_any_other_file_is_a_single_picture(plant: Callable[..., Path], limits: ImageLimits) -> None:
    root = plant("a.png", "noname")
    for name in ("a.png", "noname"):
        source = open_source(root / name, limits)
        (item,) = source
        assert (item.source, item.location, item.value) == (name, name, None)
        assert item.read() == (root / name).read_bytes()
        assert source.count() == 1


def test_what_is_not_there_is_named(tmp_path: Path, limits: ImageLimits) -> None:
    with pytest.raises(SourceError, match=r"there is no folder or file .*missing"):
        open_source(tmp_path / "missing", limits)
    with pytest.raises(SourceError):
        open_source(Path("nul\0byte"), limits)


def test_a_mapping_without_a_manifest_is_refused(plant: Callable[..., Path], limits: ImageLimits) -> None:
    root = plant("a.png")
    for path in (root, root / "a.png"):
        with pytest.raises(SourceError, match="not a manifest"):
            open_source(path, limits, {"path": "file"})


def test_a_source_is_called_by_its_own_name_without_its_path(
    plant: Callable[..., Path], limits: ImageLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plant("a.png", folder="holiday")
    monkeypatch.chdir(root)
    assert open_source(Path(), limits).name == "holiday"
    assert open_source(root, limits).name == "holiday"
    assert open_source(Path("a.png"), limits).name == "a.png"
