"""How detectors and copy descriptors are printed: a list of them, the description of one, and what verified it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding

from indexer.cli.output import plain, table


def show_listed(out: Console, name: str, facts: str, summary: str, *, in_use: bool) -> None:
    """Prints one of a list: its name, marked if it is in use, its facts, and what it is."""
    show_name(out, name, in_use=in_use)
    out.print(Padding(plain(facts), (0, 0, 0, 4)))
    out.print(Padding(plain(summary), (0, 0, 1, 4)), style="dim")


def show_name(out: Console, name: str, *, in_use: bool) -> None:
    """Prints the first line of one of a list."""
    out.print("*" if in_use else " ", plain(name), style="bold")


def show_description(out: Console, facts: Iterable[tuple[str, object]], limits: Sequence[str]) -> None:
    """Prints the whole description of one: its facts as a table, then its limits."""
    listing = table("", "")
    listing.show_header = False
    for key, value in facts:
        listing.add_row(key, plain(value))
    out.print(listing)
    for limit in limits:
        out.print("·", plain(limit))


def show_checks(out: Console, checks: Sequence[str], golden: Path | None, what: str) -> None:
    """Prints what was verified, and where the golden outputs (`what`) were written, if they were."""
    for check in checks:
        out.print("ok ", plain(check))
    if golden is not None:
        out.print(f"golden {what} written to", plain(golden))
