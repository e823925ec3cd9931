"""What commands that bring something new say of the watches that waited for it."""

from indexer.catalog.tables.types import utc_now
from indexer.cli.terminal import echo
from indexer.watching import Alerts, Lookout
from indexer.workspace import Workspace


def look_for_alerts(workspace: Workspace, *, as_json: bool) -> None:
    """Looks for what the watches wait for, and says what they found; beside JSON, on standard error."""
    alerts = Lookout.of(workspace).look(utc_now())
    if alerts.alerts:
        echo(f"{said(alerts)}: see `dejafake watch poll`", err=as_json)


def said(result: Alerts) -> str:
    """How many alerts of how many watches, for a person."""
    alerts = "1 alert" if result.alerts == 1 else f"{result.alerts} alerts"
    return f"{alerts} of {'1 watch' if result.watches == 1 else f'{result.watches} watches'}"
