"""Archives are read in memory, member by member; hostile ones end in a rejection, never in a file or a full memory."""

import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import ImageRejectedError, SourceError
from indexer.imaging.limits import ImageLimits
from indexer.sources import SourceRejection, SourceSkip, open_source
from indexer.sources.archives import tarred, zipped
from indexer.vocabulary import LabelValue

NAMES = [
    "a.png",
    "gan/fake/b.png",
    "./real/c.png",
    "../../escape.png",
    "/etc/absolute.png",
    ".hidden/d.png",
    "__MACOSX/a.png",
    "notes.txt",
    "nameless",
]
READ = ["a.png", "gan/fake/b.png", "real/c.png", "../../escape.png", "etc/absolute.png", "nameless"]
TARS = {"t.tar": "w", "t.tar.gz": "w:gz", "t.tgz": "w:gz", "t.tar.bz2": "w:bz2", "t.tar.xz": "w:xz"}


@pytest.fixture
def members(photo: Callable[..., bytes]) -> dict[str, bytes]:
    return {name: b"just words" if name.endswith("txt") else photo(seed) for seed, name in enumerate(NAMES)}


def told(path: Path, limits: ImageLimits) -> list[Any]:
    """Items and rejections; what is passed over is tested in test_archive_names.py."""
    return [found for found in open_source(path, limits) if not isinstance(found, SourceSkip)]


def pack(path: Path, members: dict[str, bytes]) -> Path:
    """An archive in the format of the name."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("folder/", b"")
            for name, data in members.items():
                archive.writestr(name, data)
        return path
    with tarfile.open(path, TARS[path.name]) as archive:  # type: ignore[call-overload]
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, data in members.items():
            archive.addfile(sized(name, len(data)), io.BytesIO(data))
    return path


def sized(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    return info


@pytest.mark.parametrize("name", ["z.zip", *TARS])
def test_every_kind_gives_the_same_pictures_and_writes_nothing(
    name: str, tmp_path: Path, members: dict[str, bytes], limits: ImageLimits, apart: Any
) -> None:
    source = open_source(pack(tmp_path / name, members), limits)
    items, rejections = apart(source)
    assert [item.location for item in items] == READ
    assert rejections == []
    by_place = {name.removeprefix("./").removeprefix("/"): data for name, data in members.items()}
    assert all(item.read() == by_place[item.location] for item in items)
    assert {item.source for item in items} == {name}
    assert (items[1].value, items[1].generator) == (LabelValue.FAKE, "gan")
    assert items[2].value is LabelValue.AUTHENTIC
    assert [item.location for item in source if not isinstance(item, SourceSkip)] == READ
    assert source.count() == (len(READ) if name == "z.zip" else None)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert not (tmp_path.parent.parent / "escape.png").exists()


def test_members_of_a_zip_are_read_from_many_threads(
    tmp_path: Path, photo: Callable[..., bytes], limits: ImageLimits
) -> None:
    members = {f"{seed}.png": photo(seed) for seed in range(40)}
    path = pack(tmp_path / "z.zip", members)
    with ThreadPoolExecutor(4) as pool:
        futures = [(item.location, pool.submit(item.read)) for item in told(path, limits)]
    assert {location: future.result() for location, future in futures} == members


@pytest.mark.parametrize("name", ["z.zip", "t.tar", "t.tar.gz"])
def test_a_member_that_is_too_large_is_a_rejection_by_its_declared_size(
    name: str, tmp_path: Path, members: dict[str, bytes], limits: ImageLimits, apart: Any
) -> None:
    members = {"big.png": bytes(limits.max_bytes + 1), "big.bin": bytes(limits.max_bytes + 1), **members}
    items, rejections = apart(told(pack(tmp_path / name, members), limits))
    assert [item.location for item in items] == READ
    assert [(r.location, r.reason) for r in rejections] == [("big.png", "too_many_bytes")]


def test_links_and_devices_in_a_tar_are_rejections(
    tmp_path: Path, photo: Callable[..., bytes], limits: ImageLimits, apart: Any
) -> None:
    path = tmp_path / "t.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"{int(kind)}.png")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        archive.addfile(sized("a.png", len(photo())), io.BytesIO(photo()))
    items, rejections = apart(told(path, limits))
    assert [item.location for item in items] == ["a.png"]
    assert [(r.location, r.reason) for r in rejections] == [(f"{n}.png", "unsupported") for n in (2, 1, 3, 6)]


def test_links_encrypted_members_and_odd_methods_in_a_zip_are_rejections(
    tmp_path: Path, photo: Callable[..., bytes], limits: ImageLimits, apart: Any
) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("locked.png", photo(1))
        archive.writestr("lzma.png", photo(2), zipfile.ZIP_LZMA)
        archive.writestr("a.png", photo(3))
    data = bytearray(path.read_bytes())
    for start in (data.index(b"PK\x03\x04", 40) + 6, data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4) + 8):
        data[start] |= 1
    path.write_bytes(data)
    items, rejections = apart(told(path, limits))
    assert [item.location for item in items] == ["a.png"]
    assert [(r.location, r.reason) for r in rejections] == [
        ("link.png", "unsupported"),
        ("locked.png", "encrypted"),
        ("lzma.png", "unsupported"),
    ]


def test_a_damaged_member_of_a_zip_is_refused_when_read(
    tmp_path: Path, photo: Callable[..., bytes], limits: ImageLimits
) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", photo(1))
        archive.writestr("b.png", photo(2))
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    damaged, sound = told(path, limits)
    with pytest.raises(ImageRejectedError, match="member is damaged") as refused:
        damaged.read()
    assert refused.value.reason == "unreadable"
    assert sound.read() == photo(2)


@pytest.mark.parametrize("name", ["z.zip", "t.tar", "t.tar.gz"])
def test_an_archive_that_unpacks_to_far_more_than_itself_is_left(
    name: str, tmp_path: Path, members: dict[str, bytes], limits: ImageLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.sources.archives.members._UNPACKED_FLOOR", 30_000)
    monkeypatch.setattr("indexer.sources.archives.members._UNPACKED_RATIO", 0)
    bombs = {f"{n}.png": bytes(20_000) for n in range(50)}
    found = list(told(pack(tmp_path / name, {"a.png": members["a.png"], **bombs}), limits))
    assert isinstance(found[-1], SourceRejection)
    assert found[-1].reason == "archive_bomb"
    assert len(found) < 6


def test_a_header_of_gigabytes_in_a_small_archive_is_left(
    tmp_path: Path, photo: Callable[..., bytes], limits: ImageLimits
) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.addfile(sized("a.png", len(photo())), io.BytesIO(photo()))
    evil = sized("evil", 2**33)
    evil.type = tarfile.XHDTYPE
    with gzip.open(tmp_path / "t.tar.gz", "wb") as file:
        file.write(plain.getvalue()[: 512 + 512 * -(-len(photo()) // 512)])
        file.write(evil.tobuf(tarfile.GNU_FORMAT))
        file.write(bytes(2**23))
    item, rejection = told(tmp_path / "t.tar.gz", limits)
    assert item.read() == photo()
    assert rejection.reason == "archive_bomb"


@pytest.mark.parametrize("name", list(TARS))
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_tar_that_ends_early_keeps_what_came_before_and_says_so(
    name: str, share: float, tmp_path: Path, limits: ImageLimits
) -> None:
    noise = [bytes((seed * n * n) % 251 for n in range(9_000)) for seed in range(1, 20)]
    path = pack(tmp_path / name, {f"{n}.png": data for n, data in enumerate(noise)})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    if name == "t.tar.bz2":  # gives nothing at all before its first block, here the only one, is whole
        with pytest.raises(SourceError, match="damaged"):
            told(path, limits)
        return
    *items, rejection = told(path, limits)
    assert isinstance(rejection, SourceRejection)
    assert rejection.reason == "damaged_archive"
    assert [item.read() for item in items] == noise[: len(items)]
    assert 0 < len(items) < 19


def test_a_broken_header_inside_a_tar_is_not_taken_for_its_end(
    tmp_path: Path, members: dict[str, bytes], limits: ImageLimits
) -> None:
    path = pack(tmp_path / "t.tar", members)
    data = bytearray(path.read_bytes())
    at = data.index(b"gan/fake/b.png")
    data[at : at + 5] = b"\xff" * 5
    path.write_bytes(data)
    *items, rejection = told(path, limits)
    assert [item.location for item in items] == ["a.png"]
    assert rejection.reason == "damaged_archive"
    assert "broken header" in rejection.message


def test_members_are_counted(
    tmp_path: Path, members: dict[str, bytes], limits: ImageLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarred, "MAX_MEMBERS", 3)
    monkeypatch.setattr(zipped, "MAX_MEMBERS", 3)
    *_, rejection = told(pack(tmp_path / "t.tar", members), limits)
    assert rejection.reason == "too_many_members"
    with pytest.raises(SourceError, match="more than 3 members"):
        told(pack(tmp_path / "z.zip", members), limits)


def test_a_zip_directory_is_measured_before_it_is_loaded(tmp_path: Path, limits: ImageLimits) -> None:
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, 2**31, 0, 0)
    (tmp_path / "z.zip").write_bytes(bytes(100) + end)
    with pytest.raises(SourceError, match="members; unpack it"):
        told(tmp_path / "z.zip", limits)


def test_xz_that_asks_for_too_much_memory_is_refused(
    tmp_path: Path, members: dict[str, bytes], limits: ImageLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "t.tar.xz", members)
    monkeypatch.setattr(tarred, "MAX_XZ_MEMORY", 2**20)
    with pytest.raises(SourceError, match=r"[Mm]emory"):
        told(path, limits)


def test_xz_in_several_streams_is_read_through(tmp_path: Path, members: dict[str, bytes], limits: ImageLimits) -> None:
    plain = pack(tmp_path / "t.tar", members).read_bytes()
    half = len(plain) // 2
    (tmp_path / "t.tar.xz").write_bytes(lzma.compress(plain[:half]) + lzma.compress(plain[half:]))
    assert [item.location for item in told(tmp_path / "t.tar.xz", limits)] == READ


def test_a_member_without_a_name_is_passed_over_and_an_endless_one_is_shown_cut(
    tmp_path: Path, photo: Callable[..., bytes], limits: ImageLimits
) -> None:
    path = pack(tmp_path / "z.zip", {"x": photo(1), "long" * 10_000 + ".png": photo(2)})
    data = path.read_bytes()
    record = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    unnamed = data[record : record + 28] + b"\0\0" + data[record + 30 : record + 46] + data[record + 47 :]
    moved = bytearray(data[:record] + unnamed)
    end = moved.rindex(b"PK\x05\x06")
    moved[end + 12 : end + 16] = struct.pack("<I", struct.unpack_from("<I", moved, end + 12)[0] - 1)
    path.write_bytes(moved)
    (long,) = told(path, limits)
    assert len(long.location) == 1_001


@pytest.mark.parametrize("name", ["z.zip", *TARS])
@pytest.mark.parametrize("content", [b"", b"no archive at all" * 100, b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_or_holds_no_picture_is_refused(
    name: str, content: bytes, tmp_path: Path, limits: ImageLimits
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as refused:
        told(tmp_path / name, limits)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["z.zip", "t.tar.gz"])
def test_an_archive_of_words_holds_no_pictures(name: str, tmp_path: Path, limits: ImageLimits) -> None:
    with pytest.raises(SourceError, match="holds no pictures"):
        told(pack(tmp_path / name, {"notes.txt": b"words", "more": b"words"}), limits)
