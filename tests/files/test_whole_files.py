"""Files that are written for people appear whole or not at all, and a disk that is full costs one line."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from indexer.errors import DejafakeError
from indexer.files.whole_files import replacing, replacing_text, told, write_whole

if sys.platform == "win32":
    pytest.skip("a limit of file sizes is of Unix", allow_module_level=True)
import resource


def lying(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def full_disk(most: int = 4096) -> Iterator[None]:
    """No file may grow beyond `most` bytes, which fails as a full disk does: in the middle of writing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert lying(tmp_path) == ["out.csv"]


def test_a_full_disk_leaves_what_was_there_no_scraps_and_one_line(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")

    def written() -> None:
        with full_disk(), told(path), replacing_text(path) as stream:
            for _ in range(10_000):
                stream.write("a line that is long enough\n")

    with pytest.raises(DejafakeError, match=r"cannot write .*out\.csv \(.+\): make room") as error:
        written()
    assert "\n" not in str(error.value)
    assert path.read_bytes() == b"before"
    assert lying(tmp_path) == ["out.csv"]


def test_an_error_of_whoever_writes_leaves_no_scraps(tmp_path: Path) -> None:
    def interrupted() -> None:
        with replacing(tmp_path / "new") as beside:
            beside.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert lying(tmp_path) == []


def test_a_writer_may_give_up(tmp_path: Path) -> None:
    with replacing(tmp_path / "new") as beside:
        beside.write_bytes(b"nothing to say")
        beside.unlink()
    assert lying(tmp_path) == []


def test_scraps_of_a_killed_process_go_and_other_files_stay(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from indexer.files.whole_files import replacing\n"
        "with replacing(Path(sys.argv[1])) as beside:\n"
        "    beside.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    for name in ("out.csv", "about.csv"):
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=False)
    assert len(lying(tmp_path)) == 2
    write_whole(tmp_path / "out.csv", b"whole")
    (scrap,) = set(lying(tmp_path)) - {"out.csv"}
    assert scrap.endswith(".about.csv.part")


def test_a_link_is_followed_and_a_pipe_is_written_itself(tmp_path: Path) -> None:
    write_whole(tmp_path / "real", b"one")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"two")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"two"
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_whole(tmp_path / "pipe", b"through")
    assert os.read(reading, 100) == b"through"
    os.close(reading)
    with pytest.raises(DejafakeError, match="Is a directory"), told(tmp_path):
        write_whole(tmp_path, b"x")
