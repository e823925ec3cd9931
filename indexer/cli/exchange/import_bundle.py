"""`dejafake import`: a bundle of another desk into the catalogue."""

from pathlib import Path

import click

from indexer.cli.alerts import look_for_alerts
from indexer.cli.output import console, json_option, plain, print_json, progress
from indexer.exchange.bundle import BundleImport, import_bundle, open_bundle
from indexer.exchange.bundle.importing import Destination
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.sources.items import source_name
from indexer.workspace import Workspace


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def import_(settings: Settings, file: Path, as_json: bool) -> None:
    """Add what the bundle FILE holds: images without their originals, labels, sightings, collections, embeddings.

    All of it is verified before anything is written; importing it again changes nothing. Labels keep whoever stated
    them. Embeddings of another detector are refused, and the rest is kept. Compare the printed SHA-256 with the one
    the sender got: the bundle's own digests only show that it is whole.

    \b
    dejafake import spring.dejafake
    """
    with Workspace(settings) as workspace, open_bundle(file) as bundle:
        workspace.catalog.require_writable()
        into = Destination(
            catalog=workspace.catalog,
            spec=workspace.resolved.spec,
            fingerprint=workspace.resolved.fingerprint,
            thumbnails=workspace.thumbnails,
            thumbnail_size=settings.thumbnail_size,
            limits=ImageLimits.from_settings(settings),
            descriptor=workspace.resolved_descriptor,
            features=settings.local_features,
        )
        with progress(f"import {file.name}", bundle.manifest.images, quiet=as_json) as advance:
            done = import_bundle(bundle, source_name(file), into, observe=advance)
        workspace.index.bring_up_to_date()
        look_for_alerts(workspace, as_json=as_json)
    if as_json:
        print_json(done)
    else:
        _describe(done)


def _describe(done: BundleImport) -> None:
    out = console()
    out.print("bundle", done.bundle)
    out.print(f"  {done.images:,} images, {done.images_added:,} of them new")
    out.print(f"  {done.labels_added:,} labels and {done.sightings_added:,} sightings added")
    if done.provenance_added:
        out.print(f"  {done.provenance_added:,} images with provenance from their files, not verified here")
    if done.labels_older:
        out.print(f"  {done.labels_older:,} labels left out: a later label by the same source is already here")
    out.print(f"  {done.embeddings_added:,} embeddings and {done.thumbnails_added:,} thumbnails added")
    if done.copy_embeddings_added or done.features_added:
        out.print(f"  {done.copy_embeddings_added:,} copy embeddings and {done.features_added:,} local features added")
    if done.thumbnails_rejected:
        out.print(f"  {done.thumbnails_rejected:,} thumbnails left out: they are not pictures")
    if done.embeddings_refused is not None:
        out.print(" ", plain(done.embeddings_refused))
    if done.copies_refused is not None:
        out.print(" ", plain(done.copies_refused))
