"""`dejafake show`: everything the catalogue knows about one image."""

from pathlib import Path

import click

from indexer.calibration import CalibrationVersion
from indexer.catalog.images import images
from indexer.catalog.records.detections import Detection
from indexer.catalog.records.images import ImageDetails
from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.cli.catalogue.heatmap import heat_map_options, write_heat_map
from indexer.cli.output import console, json_option, plain, print_json, table, when
from indexer.errors import NotFoundError
from indexer.provenance.recording import provenance_limits
from indexer.settings import Settings
from indexer.verdict.findings import CalibrationReference, find
from indexer.vocabulary import Technique
from indexer.workspace import Workspace

_LONGEST_LINE = 600


@click.command()
@click.argument("sha256")
@heat_map_options
@json_option
@click.pass_obj
def show(settings: Settings, sha256: str, heatmap: Path | None, heatmap_array: Path | None, as_json: bool) -> None:
    """Show the image SHA256 (or the start of it): labels and who stated them, sightings, detections, campaigns, and
    what the file says of its own origin.

    A heat map shows where the detector's embedding looked. It does not show what was manipulated, and proves nothing.

    \b
    dejafake show 3f2a91c0
    dejafake show 3f2a91c0 --heatmap where-it-looked.png
    """
    with Workspace(settings) as workspace:
        digest = workspace.find_image(sha256)
        with workspace.catalog.reading() as session:
            details = images.get(session, digest)
        original = workspace.originals.path(digest)
        calibration = workspace.searcher.calibration.get()
        if details is None:  # deleted in between
            raise NotFoundError(f"no image {sha256} in this catalogue")
        note = write_heat_map(workspace, digest, heatmap, heatmap_array, quiet=as_json)
    if as_json:
        print_json(details)
    else:
        _describe(details, str(original) if original.exists() else "not kept", calibration)
        if note is not None:
            console().print("\nHeat map", *(plain(path) for path in (heatmap, heatmap_array) if path is not None))
            console().print(plain(note), style="dim")


def _describe(details: ImageDetails, original: str, calibration: CalibrationVersion | None) -> None:
    out, image = console(), details.image
    facts = table("", "")
    facts.show_header = False
    label = "disputed: its labels disagree" if image.label.disputed else image.label.value.value
    for name, value in (
        ("image", image.sha256),
        ("label", label + (f", by {image.label.source}" if image.label.source else "")),
        ("technique", image.label.technique.value),
        ("generator", image.label.generator),
        ("picture", f"{image.format}, {image.width} x {image.height}, {image.byte_size:,} bytes, {image.mode}"),
        ("notes", "; ".join(image.notes)),
        ("PDQ", f"{image.pdq} (quality {image.pdq_quality}, {image.pdq_method})"),
        ("added", when(image.added_at)),
        ("collections", ", ".join(details.collections)),
        ("original", original),
    ):
        if value:
            facts.add_row(name, plain(value))
    out.print(facts)
    for member in details.campaigns:
        strength = f"strength {member.strength:.2f}, {member.state.value}"
        out.print("Campaign", plain(member.campaign), plain(member.name), strength)
    if details.labels:
        listing = table("label", "technique", "generator", "stated by", "kind", "reason", "stated", title="\nLabels")
        for stated in details.labels:
            listing.add_row(
                stated.value.value,
                stated.technique.value,
                plain(stated.generator),
                plain(stated.source),
                stated.source_kind.value,
                plain(stated.reason),
                when(stated.stated_at),
            )
        out.print(listing)
    if details.sightings:
        listing = table("posted", "platform", "account", "URL", "archived", "caption", title="\nSightings")
        for seen in details.sightings:
            listing.add_row(
                when(seen.posted_at),
                *(plain(text) for text in (seen.platform, seen.account, seen.url, seen.archive_url, seen.caption)),
            )
        out.print(listing)
    _describe_origin(details)
    if details.detections:
        listing = table("detector", "score", "logits", "fingerprint", title="\nDetections")
        for said in details.detections:
            score = _score(said, calibration)
            logits = ", ".join(f"{value:.3f}" for value in said.logits)
            listing.add_row(plain(said.detector), score, logits, said.fingerprint[:16])
        out.print(listing)
    for source in details.sources:
        out.print("Source", plain(source.source), plain(source.location), style="dim")
    if details.provenance_read_at is not None or details.provenance:
        for limit in provenance_limits(details.provenance):
            out.print(f"· {limit}", style="dim")


def _describe_origin(details: ImageDetails) -> None:
    out = console()
    if details.provenance_read_at is None and not details.provenance:
        out.print("\nThe provenance of its file was never read: ingest the file again.", style="dim")
        return
    if details.provenance_read_at is None:
        out.print("\nRead by another installation; not verified here.", style="dim")
    if details.provenance:
        listing = table("about", "worth", "technique", "what the file says", "in particular", title="\nProvenance")
        for told in details.provenance:
            listing.add_row(
                told.kind.value.replace("_", " "),
                told.worth.value.replace("_", " "),
                "" if told.technique is Technique.UNKNOWN else told.technique.value,
                plain(told.statement),
                plain(_particulars(told)),
            )
        out.print(listing)
    else:
        out.print("\nIts file says nothing of its origin.")


def _particulars(told: ProvenanceFinding) -> str:
    """The fields of a finding that identify what made the picture, in a line; the rest is in `--json`."""
    names = (
        "model",
        "model_hash",
        "seed",
        "sampler",
        "prompt",
        "issuer",
        "validation_state",
        "manifest_url",
        "taken_at",
    )
    said = {name: value for part in told.fields.values() if isinstance(part, dict) for name, value in part.items()}
    particulars = [f"{name.replace('_', ' ')} {said[name]}" for name in names if name in said]
    loras = said.get("loras", [])
    return "; ".join([*particulars, *(f"LoRA {lora['name']}" for lora in loras)])[:_LONGEST_LINE]


def _score(said: Detection, calibration: CalibrationVersion | None) -> str:
    """A stored score in words; the calibration is that of the detector in use, and of no other."""
    if said.p_fake is None:
        return "not assessable: not trained"
    if calibration is None or calibration.calibration.fingerprint != said.fingerprint:
        return f"{said.p_fake:.3f} (uncalibrated)"
    finding = find(
        said.detector,
        said.fingerprint,
        trained=said.trained,
        logits=said.logits,
        p_fake=said.p_fake,
        calibration=calibration,
    )
    reading, words = finding.reading.value.replace("_", " "), CalibrationReference.of(calibration).words
    return f"{said.p_fake:.3f}, probability {finding.calibrated_p_fake:.2f}, {reading}: {words}"
