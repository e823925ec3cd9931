"""`dejafake descriptor`: which copy descriptors there are, and whether their weights are what they should be."""

import click
from rich.padding import Padding

from indexer.cli.detectors.showing import show_checks, show_description, show_listed, show_name
from indexer.cli.output import console, json_option, plain, print_json
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
        if listing.spec is None:
            show_name(out, listing.name, in_use=listing.in_use)
            out.print(Padding(plain(f"{listing.state}: {listing.reason}"), (0, 0, 1, 4)))
            continue
        trained = "trained" if listing.spec.trained else "not trained"
        dimension = f"{listing.spec.dimension} numbers"
        facts = (listing.state, trained, dimension, listing.spec.licence, listing.proved)
        shown = " · ".join(fact for fact in facts if fact)
        show_listed(out, listing.name, shown, listing.spec.summary, in_use=listing.in_use)
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
    spec = resolved.spec
    how = spec.preprocessing
    resize = "squeezed" if how.resize_shortest is None else f"shortest side to {how.resize_shortest}, cropped"
    facts = (
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
    )
    show_description(console(), facts, spec.limits)


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
    show_checks(console(), proof.checks, proof.golden, "embeddings")


def _claims(spec: DescriptorSpec) -> str:
    """From which score it may call a picture a likely copy, and how often that is wrong."""
    if spec.likely_copy_min_score is None or spec.likely_copy_false_match_rate is None:
        return "nothing: no threshold was measured; what it finds counts once local features verify it"
    share, strangers = spec.likely_copy_false_match_rate, spec.likely_copy_strangers or 0
    return (
        f"a likely copy from a score of {spec.likely_copy_min_score:.3f}, which at most {share:.2%} of unrelated "
        f"pictures reach (upper bound at 95 %, {strangers:,} asked)"
    )
