"""`dejafake copies`: what altered copies are found by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from indexer.catalog.copies import descriptors
from indexer.cli.output import console, json_option, plain, print_json, progress, steps
from indexer.cli.terminal import echo
from indexer.copies.descriptor import resolve_descriptor
from indexer.errors import OriginalChangedError, UsageError
from indexer.index import SearchIndex
from indexer.reindex.copies import CopiesReport, PrepareCopies
from indexer.reindex.copies_agreement import DescriptorsAgreement, descriptors_agreement
from indexer.settings import Settings
from indexer.workspace import Workspace, copy_source

if TYPE_CHECKING:  # importing the class itself loads torch
    from indexer.copies.descriptor.copy_descriptor import CopyDescriptor

GO_ON = 130
"""Exit code of an interrupted command."""
_SKIPPED = {
    "no_picture": "have neither original nor thumbnail",
    "changed_original": "have a kept original that was changed",
    "unreadable": "have files that cannot be read",
}


@dataclass(frozen=True, slots=True)
class PrepareOutcome:
    """What `--json` writes. `agreement`: of the descriptor in use and another one that was named."""

    report: CopiesReport
    agreement: DescriptorsAgreement | None


@click.group()
def copies() -> None:
    """What altered copies are found by: embeddings by the copy descriptor, and local features."""


@copies.command(
    epilog="If interrupted, run the same command again: it continues where it stopped. Searches work while it runs, "
    "and find what is done."
)
@click.option(
    "--descriptor",
    "name",
    metavar="NAME|PATH",
    help="Copy descriptor to take embeddings by, before you switch to it: a name from `dejafake descriptor list`, a "
    "folder or an ONNX model. Default: the one in use.",
)
@json_option
@click.pass_obj
def prepare(settings: Settings, name: str | None, as_json: bool) -> int:
    """Take what altered copies are found by of all images that lack it: of a catalogue of an older version, or for
    another copy descriptor.

    Originals are read where they are kept, else thumbnails. New images have it from their ingest.

    \b
    dejafake copies prepare
    dejafake copies prepare --descriptor sscd
    """
    chosen = settings if name is None else settings.model_copy(update={"copy_descriptor": name})
    with Workspace(settings) as workspace:
        workspace.catalog.require_writable()
        descriptor = _descriptor(workspace, chosen, given=name is not None)
        if descriptor is None and not settings.local_features:
            raise UsageError("copy descriptor and local features are both turned off: there is nothing to prepare")
        describe = None if descriptor is None or name is not None else workspace.passes.embed
        job = PrepareCopies(workspace, descriptor, describe, features=settings.local_features)
        try:
            with progress("prepare for copies", job.count(), quiet=as_json) as advance:
                done = job.run(advance)
            with steps("build the index"):
                _bring_up_to_date(workspace, chosen)
            compared = _compared(workspace, descriptor)
        except KeyboardInterrupt:
            echo("dejafake: interrupted; finished work is kept: run the same command again to continue", err=True)
            return GO_ON
    if as_json:
        print_json(PrepareOutcome(done, compared))
    else:
        _describe(done, compared)
    for sha256 in done.changed:
        echo(f"dejafake: {OriginalChangedError(sha256)}", err=True)
    return 0


def _descriptor(workspace: Workspace, chosen: Settings, *, given: bool) -> "CopyDescriptor | None":
    """The descriptor in use, or the one that was named; None where it is off, or unusable, which is told."""
    if given:
        resolved = resolve_descriptor(chosen.copy_descriptor)
        if resolved is None:
            return None
        from indexer.copies.descriptor.loading import load_descriptor

        return load_descriptor(chosen, resolved)
    descriptor = workspace.descriptor()
    if descriptor is None and workspace.descriptor_problem is not None:
        echo(f"dejafake: {workspace.descriptor_problem}", err=True)
    return descriptor


def _bring_up_to_date(workspace: Workspace, chosen: Settings) -> None:
    """The indexes of what was taken, of another descriptor too."""
    workspace.index.bring_up_to_date()
    if chosen is workspace.settings:
        return
    source = copy_source(resolve_descriptor(chosen.copy_descriptor), chosen)
    index = SearchIndex(workspace.catalog, chosen, workspace.resolved.fingerprint, source)
    try:
        index.bring_up_to_date()
    finally:
        index.close()


def _compared(workspace: Workspace, descriptor: "CopyDescriptor | None") -> DescriptorsAgreement | None:
    """The descriptor in use with another one that was named."""
    in_use = workspace.resolved_descriptor
    if descriptor is None or in_use is None or in_use.fingerprint == descriptor.fingerprint:
        return None
    with workspace.catalog.reading() as session:
        known = {entry.fingerprint for entry in descriptors.list(session) if entry.embeddings}
    if not {in_use.fingerprint, descriptor.fingerprint} <= known:
        return None
    with steps("compare") as update:
        return descriptors_agreement(workspace.catalog, in_use.fingerprint, descriptor.fingerprint, progress=update)


def _describe(done: CopiesReport, compared: DescriptorsAgreement | None) -> None:
    out = console()
    settled = done.embeddings_added + done.features_added
    speed = f", {settled / done.seconds:.1f} a second" if settled and done.seconds else ""
    out.print(f"{done.embeddings_added:,} copy embeddings and local features of {done.features_added:,} images{speed}")
    for reason, count in done.skipped.items():
        out.print(f"  {count:,} images", plain(_SKIPPED.get(reason, f"were left out: {reason}")))
    out.print(f"{done.remaining:,} images lack something.")
    if compared is None or compared.neighbours is None:
        return
    near = compared.neighbours
    out.print(
        plain(f"{compared.old} and {compared.new} on the {compared.n:,} images that both have embedded:"),
        f"{near.k} nearest neighbours in common, mean Jaccard: {near.jaccard:.3f}; same nearest: "
        f"{near.same_nearest:.1%} (of {near.queries:,} images drawn at random)",
    )
