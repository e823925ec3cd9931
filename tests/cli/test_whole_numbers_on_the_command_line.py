"""Whole numbers on the command line: outside their range they are one line, whatever the command."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from indexer.cli.app import cli, run
from indexer.errors import NotFoundError
from indexer.settings import Settings
from indexer.workspace import Workspace

HUGE = "9" * 20


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command, help_option_names=["-h", "--help"])  # click keeps what it was first asked with
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, (*path, name))
    else:
        yield path, command


def test_every_whole_number_has_a_largest_value() -> None:
    open_ended = [
        f"{' '.join(path)}: {parameter.name}"
        for path, command in commands(cli)
        for parameter in command.params
        if isinstance(parameter.type, click.types.IntParamType) and getattr(parameter.type, "max", None) is None
    ]
    assert open_ended == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["calibrate", "show", HUGE],
        ["calibrate", "retire", HUGE],
        ["calibrate", "show", "0"],
        ["decide", "show", HUGE],
        ["decide", "undo", HUGE, "--as", "me"],
        ["head", "train", "catalogue", "--target", "fake", "--seed", HUGE],
        ["evaluate", "catalogue", "--seed", str(2**32)],
        ["evaluate", "catalogue", "--queries", HUGE],
        ["reindex", "--limit", HUGE],
        ["search", "a.png", "--limit", HUGE],
        ["regions", "search", "a.png", "--box", "0,0,9,9", "--limit", HUGE],
        ["serve", "--port", HUGE],
        ["serve", "--workers", "-1"],
        ["watch", "poll", "w", "--limit", HUGE],
        ["campaigns", "--limit", HUGE],
        ["novelties", "--limit", HUGE],
    ],
    ids=" ".join,
)
def test_a_number_outside_its_range_is_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    assert run(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("version", [10**20, 2**31, 0, -1])
def test_a_version_no_calibration_can_have_is_not_found(version: int, tmp_path: Path) -> None:
    from indexer.catalog.detections import calibrations

    with Workspace(Settings.load(home=tmp_path)) as workspace, workspace.catalog.writing() as session:
        for ask in (calibrations.get, calibrations.retire):
            with pytest.raises(NotFoundError, match=f"no calibration {version}"):
                ask(session, workspace.resolved.fingerprint, version)
