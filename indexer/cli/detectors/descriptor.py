"""`dejafake descriptor`: which copy descriptors there are, and whether their weights are what they should be."""

import click
from rich.padding import Padding

from indexer.cli.output import console, json_option, plain, print_json, table
from indexer.copies.descriptor import list_descriptors, resolve_descriptor
from indexer.copies.descriptor.registry import OFF
from indexer.copies.descriptor.spec import DescriptorSpec
from indexer.errors import UsageError
from indexer.settings import Settings


@click.group()
def descriptor() -> None:
    """Copy descriptors, which find altered copies: list them, verify their weights."""


@descriptor.command("list")
@json_option
@click.pass_obj
def list_all(settings: Settings, as_json: bool) -> None:
    """List the copy descriptors dejafake knows."""
    listings = list_descriptors(settings)
    if as_json:
        print_json(listings)
        return
    out = console()
    for listing in listings:
        out.print("*" if listing.in_use else " ", plain(listing.name), style="bold")
        if listing.spec is None:
            out.print(Padding(plain(f"{listing.state}: {listing.reason}"), (0, 0, 1, 4)))
            continue
        trained = "trained" if listing.spec.trained else "not trained"
        dimension = f"{listing.spec.dimension} numbers"
        facts = (listing.state, trained, dimension, listing.spec.licence, listing.proved)
        out.print(Padding(plain(" · ".join(fact for fact in facts if fact)), (0, 0, 0, 4)))
        out.print(Padding(plain(listing.spec.summary), (0, 0, 1, 4)), style="dim")
    if settings.copy_descriptor == OFF:
        out.print("None is in use. Choose one with DEJAFAKE_COPY_DESCRIPTOR=NAME.")
    else:
        out.print("* in use. Choose another with DEJAFAKE_COPY_DESCRIPTOR=NAME, or none with `off`.")


@descriptor.command()
@click.argument("name", required=False)
@json_option
@click.pass_obj
def info(settings: Settings, name: str | None, as_json: bool) -> None:
    """Show the whole description of the copy descriptor NAME (default: the one in use), and its fingerprint."""
    resolved = resolve_descriptor(name or settings.copy_descriptor)
    if resolved is None:
        raise UsageError("no copy descriptor is in use: name one of `dejafake descriptor list`")
    if as_json:
        print_json(resolved)
        return
    out, spec = console(), resolved.spec
    how = spec.preprocessing
    resize = "squeezed" if how.resize_shortest is None else f"shortest side to {how.resize_shortest}, cropped"
    description = table("", "")
    description.show_header = False
    for key, value in (
        ("copy descriptor", spec.name),
        ("what it is", spec.summary),
        ("trained", "yes" if spec.trained else "no: its embeddings mean nothing"),
        ("architecture", "an ONNX model" if spec.onnx else spec.architecture),
        ("embedding", f"{spec.dimension} numbers"),
        ("preprocessing", f"{resize} to {how.crop} x {how.crop}"),
        ("claims alone", _claims(spec)),
        ("licence", spec.licence),
        ("fingerprint", resolved.fingerprint),
        ("weights", resolved.weights),
    ):
        description.add_row(key, plain(value))
    out.print(description)
    for limit in spec.limits:
        out.print("·", plain(limit))


@descriptor.command()
@click.argument("name", required=False)
@click.option("--write", is_flag=True, help="Record the golden embeddings first.")
@json_option
@click.pass_obj
def verify(settings: Settings, name: str | None, write: bool, as_json: bool) -> None:
    """Verify the copy descriptor NAME (default: the one in use): digest, shapes, background and golden embeddings."""
    from indexer.copies.descriptor.loading import verify_descriptor

    proof = verify_descriptor(settings, name, write=write)
    if as_json:
        print_json(proof)
        return
    out = console()
    for check in proof.checks:
        out.print("ok ", plain(check))
    if proof.golden is not None:
        out.print("golden embeddings written to", plain(proof.golden))


def _claims(spec: DescriptorSpec) -> str:
    """From which score it may call a picture a likely copy, and how often that is wrong."""
    if spec.likely_copy_min_score is None or spec.likely_copy_false_match_rate is None:
        return "nothing: no threshold was measured; what it finds counts once local features verify it"
    share, strangers = spec.likely_copy_false_match_rate, spec.likely_copy_strangers or 0
    return (
        f"a likely copy from a score of {spec.likely_copy_min_score:.3f}, which at most {share:.2%} of unrelated "
        f"pictures reach (upper bound at 95 %, {strangers:,} asked)"
    )
