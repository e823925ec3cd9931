"""`dejafake index`: the vector index, which is a cache of the catalogue and can be rebuilt at any time."""

import click

from indexer.cli.output import console, json_option, print_json, table, when
from indexer.index import IndexStatus
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
    """Build the index anew from the catalogue. Searches go on meanwhile, on the old one."""
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


def _kind(status: IndexStatus) -> str:
    parameters = (f"{name.replace('_', ' ')} {value:,}" for name, value in status.parameters.items())
    return ", ".join([status.kind, *parameters])


def _measured(status: IndexStatus) -> str:
    if status.recall is None or status.milliseconds is None:
        return "every search is exact"
    return f"recall@10 {status.recall:.3f}, {status.milliseconds:.2f} ms a search when it was built"


def _print(status: IndexStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(status)
        return
    made = table("", "")
    made.show_header = False
    for name, value in (
        ("state", status.state),
        ("detector", status.fingerprint[:16]),
        ("kind", _kind(status)),
        ("measured", _measured(status)),
        ("in the index", f"{status.count:,}"),
        ("in the catalogue", f"{status.catalogue_count:,}"),
        ("new since", f"{status.tail:,}"),
        ("deleted since", f"{status.deleted:,}"),
        ("size", f"{status.bytes / 1e6:,.1f} MB"),
        ("built", when(status.built_at)),
        ("snapshot", status.snapshot),
    ):
        made.add_row(name, str(value))
    console().print(made)
