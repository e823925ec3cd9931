"""`dejafake export`: the catalogue, or a part of it, as a file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from indexer.catalog.records.filters import ImageFilter
from indexer.cli.filters import filter_options, image_filter
from indexer.cli.output import console, plain, progress
from indexer.cli.terminal import data_out
from indexer.copies.features import FEATURES_FINGERPRINT
from indexer.errors import UsageError
from indexer.exchange import SignOff, export_images
from indexer.exchange.bundle import export_bundle
from indexer.exchange.bundle.layout import BundledDetector
from indexer.files.whole_files import replacing_text, told
from indexer.settings import Settings
from indexer.vocabulary import LabelValue
from indexer.workspace import Workspace


@click.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(["jsonl", "csv", "mediareview", "stix", "misp"]),
    default="jsonl",
    show_default=True,
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a bundle for `dejafake import` instead: one file with hashes and embeddings, without originals.",
)
@click.option("--thumbnails", is_flag=True, help="Put small pictures into the bundle.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write. Default: standard output."
)
@click.option("--label", type=click.Choice([v.value for v in LabelValue]), help="Only images with this label.")
@click.option(
    "--signed-off-by",
    metavar="NAME",
    help="The organisation that gives these images their MediaReview category. Without it categories are suggestions.",
)
@click.option("--signed-off-url", metavar="URL", help="Its web address.")
@click.option("--signed-off-on", type=click.DateTime(["%Y-%m-%d"]), help="When it signed off. Default: today (UTC).")
@filter_options
@click.pass_obj
def export(
    settings: Settings,
    /,
    kind: str,
    bundle: Path | None,
    thumbnails: bool,
    output: Path | None,
    label: str | None,
    signed_off_by: str | None,
    signed_off_url: str | None,
    signed_off_on: datetime | None,
    **conditions: Any,
) -> None:
    """Write the images of the catalogue with their labels, sightings, hashes and scores, sorted by SHA-256.

    The same catalogue gives the same bytes. CSV cells are safe to open in a spreadsheet. MediaReview is a schema.org
    feed: an image's category is only suggested until an organisation signs it off. STIX is a
    STIX 2.1 bundle and MISP an event for threat-intelligence platforms.

    \b
    dejafake export --format csv --output known-fakes.csv --label fake
    dejafake export --bundle spring.dejafake --collection spring --thumbnails
    dejafake export --format mediareview --collection elections-2026 --signed-off-by "Example Fact-Check"
    """
    selection = image_filter(label, **conditions)
    sign_off = _sign_off(signed_off_by, signed_off_url, signed_off_on)
    with Workspace(settings) as workspace:
        if bundle is not None:
            _write_bundle(workspace, selection, bundle, thumbnails=thumbnails)
            return
        if thumbnails:
            raise UsageError("--thumbnails go into a bundle: add --bundle FILE")
        if output is None:
            export_images(workspace.catalog, selection, kind, data_out(), sign_off=sign_off)
            return
        with told(output), replacing_text(output) as stream:
            count = export_images(workspace.catalog, selection, kind, stream, sign_off=sign_off)
    console().print(f"{count} images written to", plain(output))


def _write_bundle(workspace: Workspace, selection: ImageFilter, path: Path, *, thumbnails: bool) -> None:
    detector = BundledDetector(name=workspace.resolved.spec.name, fingerprint=workspace.resolved.fingerprint)
    with progress(f"export {path.name}", None) as advance:
        done = export_bundle(
            workspace.catalog,
            selection,
            detector,
            path,
            descriptor=None if workspace.resolved_descriptor is None else workspace.resolved_descriptor.fingerprint,
            features=FEATURES_FINGERPRINT,
            thumbnails=workspace.thumbnails if thumbnails else None,
            observe=advance,
        )
    out = console()
    out.print("bundle", done.bundle)
    out.print(f"  {done.images:,} images, {done.embeddings:,} embeddings, {done.thumbnails:,} thumbnails")
    if done.copy_embeddings or done.features:
        out.print(f"  {done.copy_embeddings:,} copy embeddings, local features of {done.features:,} images")
    out.print(f"  {done.bytes:,} bytes in", plain(path))


def _sign_off(name: str | None, url: str | None, on: datetime | None) -> SignOff | None:
    if name is None:
        if url is not None or on is not None:
            raise UsageError("--signed-off-url and --signed-off-on need --signed-off-by NAME")
        return None
    return SignOff(name, (on or datetime.now(UTC)).date(), url)
