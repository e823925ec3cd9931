"""`dejafake watch`: saved queries that report when a later ingest matches."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.watches import NewWebhook, Watch, WatchedPicture, WatchKind, Webhook
from indexer.catalog.tables.types import utc_now
from indexer.catalog.watches import events as watch_events
from indexer.catalog.watches import watches
from indexer.cli.alerts import said
from indexer.cli.filters import filter_options_of_new_images, image_filter
from indexer.cli.output import console, json_option, plain, print_json, table, when
from indexer.delivery import Webhooks
from indexer.errors import SourceError, UsageError
from indexer.imaging.decoding import read_bytes
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.vocabulary import LabelValue
from indexer.watching import Deliverer, Lookout, picture_of_bytes, picture_of_known
from indexer.workspace import Workspace

SECRET_LENGTH = (16, 256)
_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class WatchRun:
    """What `run` and `deliver` did. `undelivered`: attempts that failed and will be made again, or were the last."""

    alerts: int
    watches: int
    delivered: int
    undelivered: int


@click.group()
def watch() -> None:
    """Saved queries (a picture, a campaign, conditions) that report when a later ingest matches."""


@watch.command()
@click.argument("name")
@click.option("--image", metavar="PICTURE|SHA256", help="Watch for this picture: a file, or an image of the catalogue.")
@click.option("--campaign", metavar="ID", help="Watch for images that join this campaign.")
@click.option("--label", type=click.Choice([v.value for v in LabelValue]), help="Only images with this label.")
@filter_options_of_new_images
@click.option(
    "--webhook",
    metavar="URL",
    help="Send matches to this URL as signed POST requests. Default: none; use `dejafake watch poll`.",
)
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Text file with the key that signs this webhook.",
)
@json_option
@click.pass_obj
def add(
    settings: Settings,
    /,
    name: str,
    image: str | None,
    campaign: str | None,
    label: str | None,
    webhook: str | None,
    secret_file: Path | None,
    as_json: bool,
    **conditions: Any,
) -> None:
    """Add a watch called NAME for a picture, a campaign, or images that meet conditions. It covers images added
    from now on.

    A picture is found again as the same file, the same picture, or of the same origin; it need not be in the catalogue,
    and is not kept.

    \b
    dejafake watch add "the mayor" --image suspicious.jpg
    dejafake watch add "two suns" --campaign cmp_k3v9x2m4q7ab
    dejafake watch add "new face swaps" --label fake --technique face_swap --webhook https://desk.example/alerts
    """
    conditions_given = image_filter(label, **conditions)
    if sum((image is not None, campaign is not None, conditions_given != ImageFilter())) != 1:
        raise UsageError("watch for one thing: --image, --campaign, or conditions such as --technique")
    told = _webhook(settings, webhook, secret_file)
    with Workspace(settings) as workspace:
        picture = None if image is None else _picture(workspace, image)
        with workspace.catalog.writing() as session:
            most = settings.watches_max
            if picture is not None:
                created = watches.add_picture(session, name, picture, most=most, webhook=told)
            elif campaign is not None:
                created = watches.add_campaign(session, name, campaign, most=most, webhook=told)
            else:
                created = watches.add_filter(session, name, conditions_given, most=most, webhook=told)
    if as_json:
        print_json(created)
    else:
        console().print(f"{created.id} watches for", plain(_subject(created)))


@watch.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """Show the watches."""
    with Workspace(settings) as workspace, workspace.catalog.reading() as session:
        page = watches.page(session, _LISTED)
        listed = page.items
        while page.next_cursor is not None:
            page = watches.page(session, _LISTED, page.next_cursor)
            listed += page.items
    if as_json:
        print_json(listed)
        return
    listing = table("watch", "name", "watches for", "events", "webhook", "since")
    for entry in listed:
        state = "paused" if entry.paused_at else "" if entry.webhook is None else entry.webhook.state.value
        listing.add_row(
            entry.id, plain(entry.name), plain(_subject(entry)), str(entry.events), state, when(entry.created_at)
        )
    console().print(listing)


@watch.command()
@click.argument("watch_id", metavar="WATCH")
@json_option
@click.pass_obj
def show(settings: Settings, watch_id: str, as_json: bool) -> None:
    """Show one WATCH and the state of its deliveries."""
    with Workspace(settings) as workspace:
        with workspace.catalog.reading() as session:
            stored = watches.get(session, watch_id)
        likeness = stored.kind is not WatchKind.IMAGE or stored.fingerprint == workspace.resolved.fingerprint
    if as_json:
        print_json(stored)
        return
    out = console()
    out.print(plain(stored.name), style="bold")
    out.print("  watches for", plain(_subject(stored)))
    out.print(f"  since {when(stored.created_at)}; {stored.events} events" + (", paused" if stored.paused_at else ""))
    if not likeness:
        out.print(
            "  made with another detector: it does not search for the same origin; remove it and add it again to do so"
        )
    if stored.webhook is not None:
        _show_webhook(stored.webhook)


@watch.command()
@click.argument("watch_id", metavar="WATCH")
@click.pass_obj
def remove(settings: Settings, watch_id: str) -> None:
    """Remove a WATCH with its events."""
    with Workspace(settings) as workspace, workspace.catalog.writing() as session:
        watches.delete(session, watch_id)


@watch.command()
@click.argument("watch_id", metavar="WATCH")
@click.pass_obj
def pause(settings: Settings, watch_id: str) -> None:
    """Pause a WATCH: no search, no deliveries. Images added in the meantime are found after `dejafake watch resume`."""
    with Workspace(settings) as workspace, workspace.catalog.writing() as session:
        watches.pause(session, watch_id, utc_now())


@watch.command()
@click.argument("watch_id", metavar="WATCH")
@click.pass_obj
def resume(settings: Settings, watch_id: str) -> None:
    """Resume a WATCH that was paused, or whose webhook was given up. It continues where it stopped."""
    with Workspace(settings) as workspace, workspace.catalog.writing() as session:
        watches.resume(session, watch_id, utc_now())


@watch.command()
@click.argument("watch_id", metavar="[WATCH]", required=False)
@click.option("--cursor", help="`next_cursor` of the last poll: only what came since.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=100, show_default=True, help="Most events.")
@json_option
@click.pass_obj
def poll(settings: Settings, watch_id: str | None, cursor: str | None, limit: int, as_json: bool) -> None:
    """Show what a WATCH found (default: all of them), in the order it was found.

    The event of an image that was deleted later is kept, with its SHA-256.

    \b
    dejafake watch poll --json | jq -r .next_cursor
    """
    with Workspace(settings) as workspace, workspace.catalog.reading() as session:
        events = watch_events.page(session, watch_id, limit, cursor)
    if as_json:
        print_json(events)
        return
    listing = table("found", "watch", "image", "what")
    for event in events.items:
        what = event.statement if event.in_catalogue else f"{event.statement} (deleted since)"
        listing.add_row(when(event.found_at), event.watch, event.sha256[:16], plain(what))
    out = console()
    out.print(listing)
    out.print("next: --cursor", plain(events.next_cursor))


@watch.command()
@json_option
@click.pass_obj
def run(settings: Settings, as_json: bool) -> None:
    """Check all watches and send what is due. For cron, where no server runs.

    \b
    */5 * * * *  dejafake watch run
    """
    with Workspace(settings) as workspace:
        alerts = Lookout.of(workspace).look(utc_now())
        sent = _deliver(workspace)
    done = WatchRun(alerts.alerts, alerts.watches, *sent)
    if as_json:
        print_json(done)
    else:
        console().print(f"{said(alerts)}; {done.delivered} deliveries succeeded, {done.undelivered} failed")


@watch.command()
@json_option
@click.pass_obj
def deliver(settings: Settings, as_json: bool) -> int:
    """Only send to webhooks what is due. Exit code 1 when all attempts failed."""
    with Workspace(settings) as workspace:
        delivered, undelivered = _deliver(workspace)
    if as_json:
        print_json(WatchRun(0, 0, delivered, undelivered))
    else:
        console().print(f"{delivered} deliveries succeeded, {undelivered} failed")
    return 1 if undelivered and not delivered else 0


def _deliver(workspace: Workspace) -> tuple[int, int]:
    """How many attempts that were due arrived, and how many did not."""
    deliverer = Deliverer(workspace.catalog, Webhooks(workspace.settings))
    attempts: list[bool] = []
    while (arrived := deliverer.deliver(utc_now())) is not None:
        attempts.append(arrived)
    return attempts.count(True), attempts.count(False)


def _picture(workspace: Workspace, image: str) -> WatchedPicture:
    path = Path(image)
    if path.exists():
        return picture_of_bytes(workspace, read_bytes(path, ImageLimits.from_settings(workspace.settings)))
    return picture_of_known(workspace, workspace.find_image(image))


def _webhook(settings: Settings, url: str | None, secret_file: Path | None) -> NewWebhook | None:
    if url is None:
        if secret_file is not None:
            raise UsageError("--secret-file goes with --webhook")
        return None
    secret = None if secret_file is None else _secret(secret_file)
    Webhooks(settings).check(url, None if secret is None else SecretStr(secret))
    return NewWebhook(url, secret)


def _secret(file: Path) -> str:
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"cannot read {file}: {error}") from None
    shortest, longest = SECRET_LENGTH
    if not shortest <= len(secret) <= longest or not secret.isascii() or not secret.isprintable():
        raise UsageError(f"a webhook's key is {shortest} to {longest} printable ASCII characters")
    return secret


def _subject(watch: Watch) -> str:
    if watch.image is not None:
        return f"the picture {watch.image[:16]}"
    if watch.campaign is not None:
        return f"the campaign {watch.campaign}"
    given = watches.FILTERS.dump_python(watch.filter or ImageFilter(), mode="json", exclude_defaults=True)
    return ", ".join(f"{name} {value}" for name, value in given.items())


def _show_webhook(webhook: Webhook) -> None:
    out = console()
    key = "a key of its own" if webhook.own_secret else "DEJAFAKE_CALLBACK_SECRET"
    out.print("  delivers to", plain(webhook.url), f"signed with {key}: {webhook.state.value}")
    if webhook.last_error is not None:
        out.print(f"  {webhook.attempts} attempts failed, the last one:", plain(webhook.last_error))
    if webhook.next_attempt_at is not None:
        out.print(f"  next attempt {when(webhook.next_attempt_at)}")
