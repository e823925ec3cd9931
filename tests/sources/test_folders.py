"""Folder trees are read in a fixed order, labelled by their folders, and never left."""

import os
import pwd
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from indexer.errors import ImageRejectedError, SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources import SourceSkip, open_source
from indexer.vocabulary import LabelValue

FAKE, AUTHENTIC = LabelValue.FAKE, LabelValue.AUTHENTIC


def test_a_plain_tree_is_read_sorted_and_can_be_read_again(
    plant: Callable[..., Path], limits: ImageLimits, photo: Callable[..., bytes], apart: Any
) -> None:
    source = open_source(plant("b.png", "a.png", "z/1.png", "c/2.jpg", "c/1.png"), limits)
    items, rejections = apart(source)
    assert [item.location for item in items] == ["a.png", "b.png", "c/1.png", "c/2.jpg", "z/1.png"]
    assert rejections == []
    assert items[0].read() == photo(1)
    assert {(item.source, item.value, item.generator) for item in items} == {("tree", None, None)}
    assert [item.location for item in source] == [item.location for item in items]
    assert source.count() == 5
    assert source.name == "tree"


def test_folders_named_real_and_fake_are_labels_and_the_one_around_the_generator(
    plant: Callable[..., Path], limits: ImageLimits
) -> None:
    paths = {
        "midjourney/fake/1.png": (FAKE, "midjourney"),
        "midjourney/real/1.png": (AUTHENTIC, None),
        "fake/2.png": (FAKE, None),
        "real/deep/er/2.png": (AUTHENTIC, None),
        "progan/1_fake/3.png": (FAKE, "progan"),
        "progan/0_real/3.png": (AUTHENTIC, None),
        "SDXL/train/Fake/4.png": (FAKE, "SDXL"),
        "train/fake/5.png": (FAKE, None),
        "faketastic/6.png": (None, None),
        "real/gan/fake/7.png": (FAKE, "gan"),
    }
    found = {item.location: (item.value, item.generator) for item in open_source(plant(*paths), limits)}
    assert found == paths


def test_hidden_files_and_what_is_no_picture_are_passed_over(
    plant: Callable[..., Path], limits: ImageLimits, photo: Callable[..., bytes], apart: Any
) -> None:
    root = plant("a.png", ".hidden.png", ".git/b.png", "c/.thumbs/d.png", "nameless")
    (root / "README.txt").write_text("about these pictures")
    (root / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(40))
    (root / "really-a-picture.dat").write_bytes(photo(9))
    source = open_source(root, limits)
    items, rejections = apart(source)
    assert [item.location for item in items] == ["a.png", "nameless", "really-a-picture.dat"]
    assert rejections == []
    assert source.count() == 3


@pytest.mark.skipif(os.name != "posix", reason="needs pipes")
def test_nothing_in_a_folder_vanishes_uncounted(
    plant: Callable[..., Path], limits: ImageLimits, tmp_path: Path
) -> None:
    root = plant("a.png", ".hidden.png", ".git/b.png", "c/.thumbs/d.png", "c/e.png")
    for name in ("cases.csv", "inner.zip", "clip.mp4", "notes.txt", "sheet.xlsx"):
        (root / name).write_bytes(b"not a picture")
    (root / "nothing").write_bytes(b"")
    (root / "two\nlines").write_bytes(b"x")
    (root / "again").symlink_to(root / "c")
    (root / "gone").symlink_to(root / "nowhere")
    os.mkfifo(root / "pipe")
    skipped = {one.location: one.reason for one in open_source(root, limits) if isinstance(one, SourceSkip)}
    assert skipped == {
        **dict.fromkeys((".hidden.png", ".git", "c/.thumbs"), "hidden"),
        **dict.fromkeys(("cases.csv", "sheet.xlsx"), "table"),
        **dict.fromkeys(("notes.txt", r"two\nlines"), "not_a_picture"),
        **dict.fromkeys(("gone", "pipe"), "no_file"),
        "inner.zip": "nested_archive",
        "clip.mp4": "video",
        "nothing": "empty",
        "again": "linked_folder",
    }


def test_a_bad_picture_is_an_item_that_says_so_when_read(plant: Callable[..., Path], limits: ImageLimits) -> None:
    root = plant("a.png")
    (root / "empty.jpg").write_bytes(b"")
    (root / "huge.jpg").write_bytes(bytes(limits.max_bytes + 1))
    (root / "vector.svg").write_text("<svg/>")
    reasons = {}
    for item in open_source(root, limits):
        try:
            item.read()
            reasons[item.location] = "read"
        except ImageRejectedError as error:
            reasons[item.location] = error.reason
    assert reasons == {"a.png": "read", "empty.jpg": "empty", "huge.jpg": "too_many_bytes", "vector.svg": "read"}


def test_links_are_followed_inside_the_folder_only(
    plant: Callable[..., Path], limits: ImageLimits, photo: Callable[..., bytes], tmp_path: Path, apart: Any
) -> None:
    root = plant("sub/a.png")
    secret = tmp_path / "secret.png"
    secret.write_bytes(photo(5))
    (root / "inside.png").symlink_to(root / "sub" / "a.png")
    (root / "outside.png").symlink_to(secret)
    (root / "upwards").symlink_to(tmp_path)
    (root / "circle").symlink_to(root)
    (root / "self.png").symlink_to(root / "self.png")
    items, rejections = apart(open_source(root, limits))
    assert [item.location for item in items] == ["inside.png", "sub/a.png"]
    assert {(r.location, r.reason) for r in rejections} == {
        ("outside.png", "outside_folder"),
        ("upwards", "outside_folder"),
        ("self.png", "outside_folder"),
    }


def test_names_are_shown_as_one_harmless_line(plant: Callable[..., Path], limits: ImageLimits) -> None:
    root = plant("bücher & 写真.png")
    (root / "line\nbreak\x1b[31m.png").write_bytes(b"x")
    (root / os.fsdecode(b"latin-\xe9.png")).write_bytes(b"x")
    locations = [item.location for item in open_source(root, limits)]
    assert "bücher & 写真.png" in locations
    assert r"line\nbreak\x1b[31m.png" in locations
    assert r"latin-\udce9.png" in locations
    for location in locations:
        assert location.isprintable()
        location.encode()


def test_a_folder_without_pictures_is_refused(tmp_path: Path, limits: ImageLimits) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(tmp_path, limits)


@contextmanager
def somebody_who_can_be_denied() -> Iterator[None]:
    """Permissions bind everybody but root: as root, become nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    nobody = pwd.getpwnam("nobody").pw_uid
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_what_may_not_be_read_inside_is_a_rejection_and_the_rest_goes_on(
    plant: Callable[..., Path], limits: ImageLimits, apart: Any
) -> None:
    with TemporaryDirectory() as public:  # pytest's own folders are closed to everybody else
        root = shutil.copytree(plant("a.png", "closed/b.png", "z/c.png"), Path(public) / "root")
        Path(public).chmod(0o755)
        (root / "closed").chmod(0)
        (root / "nameless").write_bytes(b"who can tell?")
        (root / "nameless").chmod(0)
        with somebody_who_can_be_denied():
            items, rejections = apart(open_source(root, limits))
        (root / "closed").chmod(0o700)
    assert [item.location for item in items] == ["a.png", "z/c.png"]
    assert {(r.location, r.reason) for r in rejections} == {("closed", "unreadable"), ("nameless", "unreadable")}


def test_a_folder_that_vanishes_inside_is_a_rejection_and_the_rest_goes_on(
    plant: Callable[..., Path], limits: ImageLimits
) -> None:
    root = plant("a.png", "gone/b.png", "z/c.png")
    found = iter(open_source(root, limits))
    assert next(found).location == "a.png"
    (root / "gone" / "b.png").unlink()
    (root / "gone").rmdir()
    rest = list(found)
    assert [(f.location, getattr(f, "reason", None)) for f in rest] == [("gone", "unreadable"), ("z/c.png", None)]
