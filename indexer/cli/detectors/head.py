"""`dejafake head`: classifiers of one's own on the detector's embeddings."""

from pathlib import Path
from typing import cast, get_args

import click
from rich.console import Console

from indexer.cli.catalogue.label_words import map_label_option, tell_words
from indexer.cli.output import SEED, console, json_option, plain, print_json, steps, table, when
from indexer.cli.roots import root_option
from indexer.estimates import Estimate
from indexer.evaluation.head_training import train_head
from indexer.evaluation.labelled import labelled_set
from indexer.heads import Head, HeadDescription, HeadStore, Target
from indexer.heads.head import check_name
from indexer.settings import Settings
from indexer.sources.label_words import LabelWords
from indexer.workspace import Workspace


@click.group()
def head() -> None:
    """Heads: train classifiers of your own on the detector's embeddings, from your labels."""


@head.command()
@click.argument("what")
@click.option(
    "--target",
    type=click.Choice(get_args(Target)),
    required=True,
    help="What to classify: fake or authentic, or the generator or technique of fakes.",
)
@click.option("--name", help="What to call it: a-z, 0-9 and -. Default: the target.")
@click.option("--replace", is_flag=True, help="Replace the head of this name.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of folds and intervals.")
@map_label_option
@root_option
@json_option
@click.pass_obj
def train(
    settings: Settings,
    what: str,
    target: str,
    name: str | None,
    replace: bool,
    seed: int,
    words: LabelWords,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Train a head on the labelled pictures of WHAT and keep it; searches then show what it says.

    WHAT is `collection:NAME` or `catalogue`, or the path of a manifest, folder or archive with labels. Classes of
    fewer than 5 pictures are left out. Its figures come from cross-validation on your pictures; a column `group` in a
    manifest keeps what was made from the same picture together.

    \b
    dejafake head train collection:desk-2026 --target fake
    dejafake head train cases.csv --target generator --name generators-2026
    """
    chosen = cast(Target, target)
    called = check_name(name or target)
    with Workspace(settings) as workspace:
        store = HeadStore.of(settings, workspace.resolved.fingerprint)
        store.check_free(called, replace=replace)
        with steps(f"train {called}", quiet=as_json) as update:
            labelled = labelled_set(
                workspace,
                what,
                words=words,
                roots=roots,
                progress=update,
            )
            trained = train_head(labelled, chosen, workspace.resolved, name=called, seed=seed, progress=update)
        kept = store.save(trained.description, trained.weights, trained.bias, replace=replace)
    tell_words(labelled.label_words, quiet=as_json)
    if as_json:
        print_json(kept.description)
        return
    _show(console(), kept)


@head.command("list")
@json_option
@click.pass_obj
def list_all(settings: Settings, as_json: bool) -> None:
    """List the heads of the detector in use, refused ones with the reason."""
    listings = _store(settings).listings()
    if as_json:
        print_json(listings)
        return
    out = console()
    if not listings:
        out.print("The detector in use has no heads: make one with `dejafake head train`.")
        return
    listing = table("head", "target", "classes", "pictures", "accuracy", "trained on", "trained")
    for entry in listings:
        said = entry.description
        if said is not None:
            listing.add_row(
                entry.name,
                said.target,
                str(len(said.classes)),
                f"{said.n:,}",
                _figure(said.accuracy),
                plain(said.trained_on),
                when(said.trained_at),
            )
    if listing.row_count:
        out.print(listing)
    for entry in listings:
        if entry.refused is not None:
            out.print("·", plain(entry.refused))


@head.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(settings: Settings, name: str, as_json: bool) -> None:
    """Show the whole description of the head NAME, with its cross-validated figures."""
    stored = _store(settings).load(name)
    if as_json:
        print_json(stored.description)
        return
    _show(console(), stored)


@head.command()
@click.argument("name")
@click.pass_obj
def remove(settings: Settings, name: str) -> None:
    """Remove the head NAME."""
    _store(settings).remove(name)
    console().print("removed:", plain(name))


def _store(settings: Settings) -> HeadStore:
    with Workspace(settings) as workspace:
        return HeadStore.of(settings, workspace.resolved.fingerprint)


def _show(out: Console, figures: Head) -> None:
    said = figures.description
    listing = table("", "")
    listing.show_header = False
    for key, value in (
        ("head", said.name),
        ("fingerprint", figures.fingerprint),
        ("tells", said.target),
        ("detector", f"{said.detector} {said.detector_fingerprint[:16]}"),
        ("trained on", f"{said.n:,} pictures of {said.trained_on}"),
        ("groups", "none stated" if said.groups is None else f"{said.groups:,}, never split"),
        ("judged by", f"{said.folds}-fold cross-validation, regularisation chosen inside each fold"),
        ("accuracy", f"{_figure(said.accuracy)}; always the most frequent class: {said.majority:.3f}"),
        ("macro F1", _figure(said.macro_f1)),
        ("trained", f"{when(said.trained_at)} by dejafake {said.version}"),
    ):
        listing.add_row(key, plain(value))
    out.print(listing)
    _show_classes(out, said)
    for name, why in said.left_out.items():
        out.print("· left out:", plain(f"{name}: {why}"))
    if not said.detector_trained:
        out.print("· The detector is not trained: its embeddings come from an untrained network.")
    out.print("· Figures hold for pictures like these. Scores add up to 1 as if all classes were equally frequent.")


def _show_classes(out: Console, said: HeadDescription) -> None:
    listing = table("class", "pictures", "AUC against the rest", "answered most")
    for figures, row in zip(said.classes, said.confusion, strict=True):
        most = sorted(zip(row, (other.name for other in said.classes), strict=True), reverse=True)[:4]
        answers = ", ".join(f"{name} {count}" for count, name in most if count)
        listing.add_row(plain(figures.name), f"{figures.n:,}", _figure(figures.auc), plain(answers))
    out.print(listing)


def _figure(figure: Estimate) -> str:
    return f"{figure.value:.3f} ({figure.text('{:.3f}'.format)})"
