"""Where the pictures of a table may lie, and the file that a path means when it is spelled in another form."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import ImageRejectedError, UsageError
from indexer.imaging.limits import ImageLimits
from indexer.sources import SourceItem, SourceRejection, open_source

Photo = Callable[..., bytes]


def manifest(folder: Path, *paths: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "m.csv").write_text("path\n" + "".join(f"{path}\n" for path in paths), encoding="utf-8")
    return folder / "m.csv"


@pytest.fixture
def library(tmp_path: Path, photo: Photo) -> Path:
    """A folder of pictures outside of the manifest's own."""
    (tmp_path / "library" / "2026").mkdir(parents=True)
    (tmp_path / "library" / "2026" / "a.png").write_bytes(photo(1))
    return tmp_path / "library"


def test_a_root_allows_paths_into_its_folder(tmp_path: Path, library: Path, photo: Photo, limits: ImageLimits) -> None:
    table = manifest(tmp_path / "lists", library / "2026" / "a.png", "../library/2026/a.png")
    items = list(open_source(table, limits, roots=[library]))
    assert [isinstance(item, SourceItem) and item.read() for item in items] == [photo(1)] * 2


def test_without_a_root_the_message_names_the_option(tmp_path: Path, library: Path, limits: ImageLimits) -> None:
    absolute, climbing = open_source(
        manifest(tmp_path / "lists", library / "2026" / "a.png", "../library/a.png"), limits
    )
    for rejection in (absolute, climbing):
        assert isinstance(rejection, SourceRejection)
        assert "--root FOLDER" in rejection.message


def test_a_root_allows_nothing_beside_it(tmp_path: Path, library: Path, photo: Photo, limits: ImageLimits) -> None:
    (tmp_path / "secret.png").write_bytes(photo(3))
    (library / "link.png").symlink_to(tmp_path / "secret.png")
    (library / "up").symlink_to(tmp_path)
    paths = [
        tmp_path / "secret.png",
        library / "link.png",
        library / "up" / "secret.png",
        library / "up" / "SECRET.png",
    ]
    paths.append(library / ".." / "secret.png")
    for item in open_source(manifest(tmp_path / "lists", *paths), limits, roots=[library]):
        assert isinstance(item, SourceItem)
        with pytest.raises(ImageRejectedError, match="--root FOLDER") as refused:
            item.read()
        assert refused.value.reason == "outside_folder"


def test_a_root_that_is_a_link_allows_paths_by_either_name(
    tmp_path: Path, library: Path, photo: Photo, limits: ImageLimits
) -> None:
    (tmp_path / "alias").symlink_to(library)
    table = manifest(
        tmp_path / "lists", tmp_path / "alias/2026/a.png", library / "2026/a.png", tmp_path / "alias/2026/A.png"
    )
    items = list(open_source(table, limits, roots=[tmp_path / "alias"]))
    assert [isinstance(item, SourceItem) and item.read() for item in items] == [photo(1)] * 3


def test_a_root_that_is_no_folder_is_refused(tmp_path: Path, library: Path, limits: ImageLimits) -> None:
    with pytest.raises(UsageError, match="check --root"):
        open_source(manifest(tmp_path / "lists", "a.png"), limits, roots=[library / "nowhere"])


@pytest.mark.parametrize(("on_disk", "listed"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_decomposed_names_are_one(
    on_disk: str, listed: str, tmp_path: Path, photo: Photo, limits: ImageLimits
) -> None:
    folder = tmp_path / "lists" / unicodedata.normalize(on_disk, "Fälle")
    folder.mkdir(parents=True)
    (folder / unicodedata.normalize(on_disk, "Jäger café.png")).write_bytes(photo(1))
    name = unicodedata.normalize(listed, "Fälle/Jäger café.png")
    (item,) = open_source(manifest(tmp_path / "lists", name), limits)
    assert isinstance(item, SourceItem)
    assert item.read() == photo(1)
    assert item.remarks == ()


def test_a_name_in_other_case_is_read_with_a_remark_if_one_file_fits(
    tmp_path: Path, photo: Photo, limits: ImageLimits
) -> None:
    table = manifest(tmp_path / "lists", "IMG_1.JPG", "Two.png", "exact.png")
    for at, name in enumerate(["img_1.jpg", "two.png", "TWO.png", "exact.png", "EXACT.png"]):
        (table.parent / name).write_bytes(photo(at))
    if len(list(table.parent.iterdir())) < 6:
        pytest.skip("the file system knows no case")
    one, several, exact = open_source(table, limits)
    assert isinstance(one, SourceItem)
    assert isinstance(several, SourceItem)
    assert isinstance(exact, SourceItem)
    assert (one.read(), exact.read()) == (photo(0), photo(3))
    assert [remark.kind for remark in one.remarks] == ["name_in_other_case"]
    assert exact.remarks == ()
    with pytest.raises(ImageRejectedError, match="cannot be read"):
        several.read()
