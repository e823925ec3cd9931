"""A disk that fills up while a command writes for a person: one line, exit code 1, what was there stays, no scraps."""

import errno
import os
from pathlib import Path

import pytest

from indexer.cli.app import run
from indexer.files import whole_files
from tests.made_pictures import encoded, png, scene

OLD = "what was there before"
COMMANDS = {
    "csv": ("export", "--format", "csv", "--output", "OUT"),
    "jsonl": ("export", "--format", "jsonl", "--output", "OUT"),
    "mediareview": ("export", "--format", "mediareview", "--output", "OUT"),
    "stix": ("export", "--format", "stix", "--output", "OUT"),
    "misp": ("export", "--format", "misp", "--output", "OUT"),
    "bundle": ("export", "--bundle", "OUT"),
    "hashes": ("hashes", "export", "--output", "OUT"),
    "heat map": ("show", "IMAGE", "--heatmap", "OUT"),
    "difference": ("compare", "A", "B", "--picture", "OUT"),
    "report": ("report", "--folder", "FOLDER", "--format", "csv"),
    "enrichment": ("enrich", "TABLE", "--out", "NEW"),
}


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_full_disk_costs_one_line_and_nothing_that_was_there(
    command: tuple[str, ...],
    filled: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed = [filled.get(word, word) for word in command]
    out = Path(filled["OUT"])
    out.write_text(OLD)
    folder = out.parent
    before = {path: path.read_bytes() for path in folder.iterdir()}

    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(whole_files, "sync_to_disk", full)
        code, _, err = called(capsys, *typed)
    assert code == 1
    (line,) = [line for line in err.splitlines() if line.startswith("dejafake: ")]
    assert "No space left on device" in line
    assert "Traceback" not in err
    journal = {path for path in folder.iterdir() if path.name.startswith("new.csv.part")}  # the answers, to go on with
    assert {path: path.read_bytes() for path in set(folder.iterdir()) - journal} == before
    assert called(capsys, *typed)[0] == 0
    assert not list(folder.glob("*.part"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, untrained_detector: Path) -> Path:
    """A catalogue of three copies of one picture that are a campaign."""
    folder = tmp_path_factory.mktemp("full")
    for quality in (95, 85, 75):
        (folder / f"{quality}.jpg").write_bytes(encoded(scene(1), "JPEG", quality=quality))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DEJAFAKE_HOME", str(folder / "home"))
        patched.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
        assert run(["ingest", *(str(path) for path in folder.glob("*.jpg")), "--label", "fake"]) == 0
        assert run(["cluster"]) == 0
    return folder / "home"


@pytest.fixture
def filled(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untrained_detector: Path) -> dict[str, str]:
    """What the words of a command stand for; files are written into a folder of their own."""
    monkeypatch.setenv("DEJAFAKE_HOME", str(home))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
    monkeypatch.setenv("COLUMNS", "250")
    written = tmp_path / "written"
    written.mkdir()
    for name, data in (("a.png", png(1)), ("b.png", png(2))):
        (tmp_path / name).write_bytes(data)
    sha256 = min(path.name for path in (home / "media").glob("*/*/*"))
    (tmp_path / "table.csv").write_text(f"sha256,note\n{sha256},x\n")
    return {
        "OUT": str(written / "out.csv"),
        "NEW": str(written / "new.csv"),
        "FOLDER": str(written),
        "IMAGE": sha256,
        "A": str(tmp_path / "a.png"),
        "B": str(tmp_path / "b.png"),
        "TABLE": str(tmp_path / "table.csv"),
    }
