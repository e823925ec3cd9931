"""`dejafake detector`: which detectors there are, and whether their weights are what they should be."""

import click

from indexer.cli.detectors.showing import show_checks, show_description, show_listed
from indexer.cli.output import console, json_option, plain, print_json, steps
from indexer.detector import list_detectors, pull, resolve
from indexer.detector import verify as verify_detector
from indexer.settings import Settings


@click.group()
def detector() -> None:
    """Detectors: list them, fetch and verify their weights."""


@detector.command("list")
@json_option
@click.pass_obj
def list_all(settings: Settings, as_json: bool) -> None:
    """List the detectors dejafake knows."""
    listings = list_detectors(settings)
    if as_json:
        print_json(listings)
        return
    out = console()
    for listed in listings:
        state = listed.reason or listed.state
        facts = (
            f"{state} · {'trained' if listed.spec.trained else 'not trained'} · {listed.spec.licence} · {listed.proved}"
        )
        show_listed(out, listed.spec.name, facts, listed.spec.summary, in_use=listed.in_use)
    out.print("* in use. Choose another with --detector NAME; fetch one with `dejafake detector pull NAME`.")


@detector.command()
@click.argument("name")
@json_option
@click.pass_obj
def info(settings: Settings, name: str, as_json: bool) -> None:
    """Show the whole description of the detector NAME, its limits and its fingerprint."""
    resolved = resolve(name, settings, allow_download=False)
    if as_json:
        print_json(resolved)
        return
    spec = resolved.spec
    facts = (
        ("detector", spec.name),
        ("what it is", spec.summary),
        ("trained", "yes" if spec.trained else "no: its verdict is always not_assessable"),
        ("architecture", spec.architecture),
        ("head", f"{spec.head.kind}, {len(spec.head.classes)} output(s)"),
        ("preprocessing", f"shortest side to {spec.preprocessing.resize_shortest}, crop {spec.preprocessing.crop}"),
        ("licence", spec.licence),
        ("repository", spec.repository),
        ("revision", spec.revision),
        ("fingerprint", resolved.fingerprint),
        ("files", resolved.folder),
    )
    show_description(console(), facts, spec.limits)


@detector.command("pull")
@click.argument("name")
@json_option
@click.pass_obj
def pull_weights(settings: Settings, name: str, as_json: bool) -> None:
    """Fetch the weights of NAME from the model hub, verify them, and keep them for use without a network."""
    with steps(f"pull {name}", quiet=as_json) as update:
        resolved = pull(name, settings, progress=update)
    if as_json:
        print_json(resolved)
    else:
        console().print(f"{resolved.spec.name} is here and verified:", plain(resolved.folder))


@detector.command()
@click.argument("name", required=False)
@click.option("--write", is_flag=True, help="Record the golden outputs of a local folder's detector first.")
@json_option
@click.pass_obj
def verify(settings: Settings, name: str | None, write: bool, as_json: bool) -> None:
    """Verify the detector NAME (default: the one in use): digest, shapes and golden outputs."""
    proof = verify_detector(settings, name, write=write)
    if as_json:
        print_json(proof)
        return
    show_checks(console(), proof.checks, proof.golden, "outputs")
