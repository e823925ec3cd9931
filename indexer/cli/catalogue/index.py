"""`dejafake index`: the vector index, which is a cache of the catalogue and can be rebuilt at any time."""

from collections.abc import Callable

import click

from indexer.cli.output import console, json_option, print_json, table, when
from indexer.index import CopyIndexStatus, IndexStatus
from indexer.settings import Settings
from indexer.workspace import Workspace


@click.group()
def index() -> None:
    """The vector index: a cache of the catalogue that can be deleted and rebuilt at any time."""


@index.command()
@json_option
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Show what the index holds and how far it is behind the catalogue."""
    with Workspace(settings) as workspace:
        _print(workspace.index.status(), as_json=as_json)


@index.command()
@json_option
@click.pass_obj
def build(settings: Settings, as_json: bool) -> None:
    """Rebuild the index from the catalogue. Searches use the old one until it is done."""
    with Workspace(settings) as workspace:
        _print(workspace.index.build(), as_json=as_json)


@index.command()
@json_option
@click.pass_obj
def verify(settings: Settings, as_json: bool) -> int:
    """Check every file of the index against its checksum, and the index against the catalogue."""
    with Workspace(settings) as workspace:
        result = workspace.index.verify()
    if as_json:
        print_json(result)
    else:
        out = console()
        for problem in result.problems:
            out.print(f"· {problem}")
        out.print("The index is sound." if result.ok else "Rebuild it with `dejafake index build`.")
    return 0 if result.ok else 1


def _kind(status: IndexStatus | CopyIndexStatus) -> str:
    parameters = (f"{name.replace('_', ' ')} {value:,}" for name, value in status.parameters.items())
    return ", ".join([status.kind, *parameters])


def _measured(status: IndexStatus | CopyIndexStatus) -> str:
    if status.recall is None or status.milliseconds is None:
        return "every search is exact"
    return f"recall@10 {status.recall:.3f}, {status.milliseconds:.2f} ms a search when it was built"


def _print(status: IndexStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(status)
        return
    shown: list[IndexStatus | CopyIndexStatus] = [status] if status.copies is None else [status, status.copies]
    listing = table("", *("detector", "copy descriptor")[: len(shown)])
    for name, value in _ROWS:
        listing.add_row(name, *(value(status) for status in shown))
    listing.add_row("snapshot", status.snapshot)
    out = console()
    out.print(listing)
    if (features := status.features) is not None:
        unsaved = f", {features.tail:,} of them not saved yet" if features.tail else ""
        size = f"{features.bytes / 1e6:,.1f} MB"
        out.print(f"local features of {features.count:,} images{unsaved}: {features.state}, {size}")


_ROWS: tuple[tuple[str, Callable[[IndexStatus | CopyIndexStatus], str]], ...] = (
    ("state", lambda status: status.state),
    ("of", lambda status: status.fingerprint[:16]),
    ("kind", _kind),
    ("measured", _measured),
    ("in the index", lambda status: f"{status.count:,}"),
    ("in the catalogue", lambda status: f"{status.catalogue_count:,}"),
    ("new since", lambda status: f"{status.tail:,}"),
    ("deleted since", lambda status: f"{status.deleted:,}"),
    ("size", lambda status: f"{status.bytes / 1e6:,.1f} MB"),
    ("built", lambda status: when(status.built_at)),
)
