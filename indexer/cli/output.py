"""How commands talk: tables and progress for people, JSON for machines.

Text that comes from outside (file names, captions, accounts) is shown with its control characters made visible, so that
it cannot drive the terminal.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from indexer.cli.terminal import SafeConsole, echo, write_json
from indexer.errors import DejafakeError, ImageRejectedError
from indexer.files.whole_files import told, write_whole

WHOLE = click.IntRange(1, 2**31 - 1)
"""Counts and versions: from 1 on, no larger than every database and library takes."""
SEED = click.IntRange(0, 2**31 - 1)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines instead of tables.")
explain_option = click.option(
    "--explain", is_flag=True, help="Also print every match, all evidence and all limits of the answer."
)
strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Refuse truncated files. Default: the part of the picture that is there is used, with a note.",
)


def console() -> Console:
    """The terminal for results."""
    return SafeConsole()


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Prints a dataclass (or a tuple of them) as JSON; `indent=None` puts it on one line."""
    data = TypeAdapter(type(value)).dump_json(value, indent=indent)
    write_json(data.decode() + "\n")


def complain(error: object) -> None:
    """One line on standard error."""
    echo(f"dejafake: {error}", err=True)


@dataclass(frozen=True, slots=True)
class FailedArgument:
    """One of several files or ids of a command that could not be answered; `error.code` is stable (errors.py), and
    `error.reason` of a file that is no picture."""

    query: str
    error: "Failure"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why not."""

    code: str
    reason: str | None
    message: str


def tell_failure(query: str, error: DejafakeError, *, as_json: bool) -> None:
    """Names one of several arguments that could not be answered, on standard error and as a line of JSON."""
    complain(f"{query}: {error}")
    if as_json:
        reason = error.reason if isinstance(error, ImageRejectedError) else None
        print_json(FailedArgument(query, Failure(error.code, reason, str(error))), indent=None)


def plain(value: object) -> Text:
    """Text from outside, never read as markup, with control characters made visible."""
    text = "" if value is None else str(value)
    return Text("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text))


def when(value: datetime | None) -> str:
    """A UTC time for a person."""
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M UTC")


def check_folder(path: Path) -> None:
    """Refuses a file to write whose folder is not there, before any work is done for it.

    Raises:
        DejafakeError: there is no such folder.
    """
    if not path.parent.is_dir():
        raise DejafakeError(f"cannot write {path}: there is no folder {path.parent}")


def write_file(path: Path, data: bytes) -> None:
    """Writes a result into a file.

    Raises:
        DejafakeError: it cannot be written.
    """
    with told(path):
        write_whole(path, data)


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table in the house style."""
    listing = Table(
        title=title, title_justify="left", header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        listing.add_column(column, overflow="fold")
    return listing


@contextmanager
def progress(what: str, total: int | None, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error with a rate and the time left; yields a function that advances it."""
    with _bar(quiet=quiet) as bar:
        task = bar.add_task(what, total=total, rate="")

        def advance(count: int) -> None:
            bar.advance(task, count)
            _show_rate(bar, task)

        yield advance


@contextmanager
def steps(what: str, *, quiet: bool = False) -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar for a job that names its steps; yields a function that takes step, done and total."""
    with _bar(quiet=quiet) as bar:
        task = bar.add_task(what, total=None, rate="")

        def update(step: str, done: int, total: int | None) -> None:
            bar.update(task, description=f"{what}: {step}", completed=done, total=total or None)
            _show_rate(bar, task)

        yield update


def _bar(*, quiet: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=SafeConsole(stderr=True),
        disable=quiet,
    )


def _show_rate(bar: Progress, task: TaskID) -> None:
    speed = bar.tasks[task].finished_speed or bar.tasks[task].speed
    if speed:
        bar.update(task, rate=f"{speed:.1f}/s")
