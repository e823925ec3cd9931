"""Commands that take a list or a bundle, given a file of another kind: one line that names it and says what to do."""

from pathlib import Path

import pytest

from indexer.cli.app import run

KINDS = {"a.xlsx": b"PK\x03\x04" + bytes(40), "a.pdf": b"%PDF-1.7\n", "a.mp4": b"\0\0\0\x18ftypmp42" + bytes(40)}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_kind_is_named_with_what_to_do(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(KINDS[name])
    home = ("--home", str(tmp_path / "home"))
    assert run([*home, "hashes", "import", str(tmp_path / name), "--source", "desk"]) == 1
    assert f"dejafake: {name}: it is no list of hashes" in capsys.readouterr().err
    assert run([*home, "import", str(tmp_path / name)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"dejafake: {name} cannot be read as a bundle: ")
    assert "`dejafake ingest`" in said
