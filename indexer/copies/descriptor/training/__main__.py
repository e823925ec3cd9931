"""`python -m indexer.copies.descriptor.training gather | run | ship | validate`."""

import sys
from pathlib import Path

import click
import numpy as np

from indexer.copies.descriptor.training.config import BUNDLED, read_config
from indexer.copies.descriptor.training.loop import Training
from indexer.copies.descriptor.training.peers import detector, onnx_model, pdq
from indexer.copies.descriptor.training.pictures import Pictures, gather, read_sources
from indexer.copies.descriptor.training.shipping import embed, read_shipped, ship
from indexer.copies.descriptor.training.validation import Embed, ask, judge, strangers, table
from indexer.detector.training.checkpoints import CHECKPOINT
from indexer.errors import DejafakeError, NotFoundError
from indexer.settings import Settings
from indexer.threads import limit_opencv, limit_torch

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def training() -> None:
    """Train the bundled copy descriptor."""


@training.command("gather")
@click.option(
    "--sources", type=_FILE, required=True, help="JSON: a list of {name, folder, most, tiles, manifest, where}."
)
@click.option("--pictures", type=_FOLDER, required=True, help="Where the shrunk pictures are kept (up to 300 KB each).")
def gather_pictures(sources: Path, pictures: Path) -> None:
    """Shrink the pictures to learn from into one file."""
    limit_opencv(1)
    click.echo(f"{len(gather(read_sources(sources), pictures, click.echo))} pictures in {pictures}")


@training.command()
@click.option("--pictures", type=_FOLDER, required=True, help="As given to `gather`.")
@click.option("--folder", type=_FOLDER, required=True, help="Of the run: checkpoint, metrics, weights.")
@click.option("--config", "config_file", type=_FILE, default=BUNDLED, help="Settings, TOML.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Compute threads. 0: one per core.")
def run(pictures: Path, folder: Path, config_file: Path, threads: int) -> None:
    """Train, or go on where the run in FOLDER was cut."""
    config = read_config(config_file)
    limit_torch(threads)
    limit_opencv(1)
    folder.mkdir(parents=True, exist_ok=True)
    with click.progressbar(length=config.steps, label="training", show_pos=True) as bar:

        def report(step: int, metrics: dict[str, float]) -> None:
            bar.label = "  ".join(f"{name} {value:.2f}" for name, value in metrics.items())
            bar.update(step - bar.pos)

        Training(Pictures(pictures), config, folder).run(report)
    click.echo("trained: `ship` writes the weights")


@training.command("ship")
@click.option("--pictures", type=_FOLDER, required=True, help="As given to `gather`.")
@click.option("--folder", type=_FOLDER, required=True, help="Of the run, finished or not.")
@click.option("--weights", type=_FOLDER, required=True, help="Where weights, background and configuration go.")
@click.option("--config", "config_file", type=_FILE, default=BUNDLED, help="Settings, TOML.")
def ship_run(pictures: Path, folder: Path, weights: Path, config_file: Path) -> None:
    """Write the averaged weights of a run as they are now."""
    if not (folder / CHECKPOINT).is_file():
        raise NotFoundError(f"no {CHECKPOINT} in {folder}: name the folder given to `run`")
    limit_torch(1)
    config = read_config(config_file)
    ship(Training(Pictures(pictures), config, folder).average(), Pictures(pictures), config, weights)
    click.echo(f"weights, background and configuration are in {weights}")


@training.command("validate")
@click.option("--pictures", type=_FOLDER, required=True, help="Kept by `gather`, of sources that are not trained on.")
@click.option("--weights", type=_FOLDER, required=True, help="As given to `ship`.")
@click.option("--each", type=click.IntRange(1), default=12, show_default=True, help="Queries by each alteration.")
@click.option("--onnx", type=_FILE, multiple=True, help="An ONNX model of bytes to compare with. May be repeated.")
@click.option("--peers/--no-peers", default=True, help="Compare with PDQ and the bundled detector.")
def validate(pictures: Path, weights: Path, each: int, onnx: tuple[Path, ...], peers: bool) -> None:
    """Tell how well weights find altered copies, beside others on the same queries."""
    limit_torch(1)
    limit_opencv(1)
    network, background, side = read_shipped(weights)
    collection = Pictures(pictures)
    known, asked = [collection[number] for number in range(len(collection))], ask(collection, each, seed=1)
    click.echo(f"{len(asked.pictures)} queries among {len(known)} known pictures\n")
    own, queries = embed(network, known, side), embed(network, asked.pictures, side)
    levels = background.level(queries)
    qualities = {weights.name: judge(own, queries, asked), "normalised": judge(own, queries, asked, levels)}
    others: dict[str, Embed] = {path.stem: onnx_model(path) for path in onnx}
    if peers:
        others |= {"PDQ": pdq, "dejafake-small": detector(Settings.load(device="cpu", threads=1))}
    for name, run_peer in others.items():
        qualities[name] = judge(run_peer(known), run_peer(asked.pictures), asked)
    click.echo("\n".join(table(qualities)))
    wrong = strangers(own, queries, asked, levels)
    shares = ", ".join(f"{share:.1%}: {np.quantile(wrong, 1 - share):.3f}" for share in (0.05, 0.01, 0.005))
    click.echo(f"\nnormalised score of the best wrong picture that so many queries reach: {shares}")


if __name__ == "__main__":
    try:
        training()
    except DejafakeError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
