"""`dejafake head`: classifiers of one's own on the detector's embeddings."""

from typing import cast, get_args

import click
from rich.console import Console

from indexer.cli.output import console, json_option, plain, print_json, steps, table, when
from indexer.evaluation.labelled import labelled_set
from indexer.head_training import train_head
from indexer.heads import Head, HeadDescription, HeadStore, Measured, Target
from indexer.heads.head import check_name
from indexer.settings import Settings
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
    help="What it is to tell: fake from authentic, or the generators or techniques of fakes.",
)
@click.option("--name", help="What to call it: a-z, 0-9 and -. Default: the target.")
@click.option("--replace", is_flag=True, help="Take the place of the head of this name.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws folds and intervals.")
@json_option
@click.pass_obj
def train(
    settings: Settings, what: str, target: str, name: str | None, replace: bool, seed: int, as_json: bool
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
            labelled = labelled_set(workspace, what, progress=lambda done, total: update("pictures", done, total or 0))
            made = train_head(labelled, chosen, workspace.resolved, name=called, seed=seed, progress=update)
        kept = store.save(made.description, made.weights, made.bias, replace=replace)
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
    made = table("head", "target", "classes", "pictures", "accuracy", "trained on", "trained")
    for one in listings:
        said = one.description
        if said is not None:
            made.add_row(
                one.name,
                said.target,
                str(len(said.classes)),
                f"{said.n:,}",
                _figure(said.accuracy),
                plain(said.trained_on),
                when(said.trained_at),
            )
    if made.row_count:
        out.print(made)
    for one in listings:
        if one.refused is not None:
            out.print("·", plain(one.refused))


@head.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(settings: Settings, name: str, as_json: bool) -> None:
    """Show the whole description of the head NAME, with its cross-validated figures."""
    found = _store(settings).load(name)
    if as_json:
        print_json(found.description)
        return
    _show(console(), found)


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


def _show(out: Console, found: Head) -> None:
    said = found.description
    made = table("", "")
    made.show_header = False
    for key, value in (
        ("head", said.name),
        ("fingerprint", found.fingerprint),
        ("tells", said.target),
        ("detector", f"{said.detector} {said.detector_fingerprint[:16]}"),
        ("trained on", f"{said.n:,} pictures of {said.trained_on}"),
        ("groups", "none stated" if said.groups is None else f"{said.groups:,}, never split"),
        ("judged by", f"{said.folds}-fold cross-validation, regularisation chosen inside each fold"),
        ("accuracy", f"{_figure(said.accuracy)}; always the most frequent class: {said.majority:.3f}"),
        ("macro F1", _figure(said.macro_f1)),
        ("trained", f"{when(said.trained_at)} by dejafake {said.version}"),
    ):
        made.add_row(key, plain(value))
    out.print(made)
    _show_classes(out, said)
    for name, why in said.left_out.items():
        out.print("· left out:", plain(f"{name}: {why}"))
    if not said.detector_trained:
        out.print("· The detector is not trained: its embeddings are features of pictures that nobody trained.")
    out.print("· Figures hold for pictures like these. Scores add up to 1 as if all classes were equally frequent.")


def _show_classes(out: Console, said: HeadDescription) -> None:
    made = table("class", "pictures", "AUC against the rest", "answered most")
    for one, row in zip(said.classes, said.confusion, strict=True):
        most = sorted(zip(row, (other.name for other in said.classes), strict=True), reverse=True)[:4]
        answers = ", ".join(f"{name} {count}" for count, name in most if count)
        made.add_row(plain(one.name), f"{one.n:,}", _figure(one.auc), plain(answers))
    out.print(made)


def _figure(one: Measured) -> str:
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"
