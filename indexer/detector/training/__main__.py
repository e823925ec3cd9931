"""`python -m indexer.detector.training fetch | run | ship`."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click
import torch

from indexer.detector import resolve, write_golden
from indexer.detector.training import photographs as debian
from indexer.detector.training.checkpoints import AVERAGE, CHECKPOINT, saved_part
from indexer.detector.training.config import BUNDLED, TrainingConfig, read_config
from indexer.detector.training.finishing import finish
from indexer.detector.training.loop import Training
from indexer.detector.training.material import read_manifest, split_photographs
from indexer.detector.training.shipping import ship
from indexer.detector.training.supply import Supply
from indexer.errors import DejafakeError, NotFoundError
from indexer.settings import Settings
from indexer.threads import limit_opencv, limit_torch

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def training() -> None:
    """Train the bundled detector."""


@training.command()
@click.option("--photographs", type=_FOLDER, required=True, help="Where Debian's packages are unpacked.")
def fetch(photographs: Path) -> None:
    """Download the Debian packages whose photographs are trained on (about 450 MB)."""
    debian.fetch(photographs)
    click.echo(f"{len(debian.find(photographs))} photographs in {photographs} and the installed libraries")


@training.command()
@click.option("--photographs", type=_FOLDER, required=True, help="As given to `fetch`.")
@click.option("--generated", type=_FILE, required=True, help="CSV: path, sha256, label, generator, group.")
@click.option("--folder", type=_FOLDER, required=True, help="Of the run: checkpoint, metrics, weights.")
@click.option("--config", "config_file", type=_FILE, default=BUNDLED, help="Settings, TOML.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Compute threads. 0: one per core.")
def run(photographs: Path, generated: Path, folder: Path, config_file: Path, threads: int) -> None:
    """Train, or go on where the run in FOLDER was cut; writes the weights when it is done."""
    config = read_config(config_file)
    limit_torch(threads)
    limit_opencv(1)
    folder.mkdir(parents=True, exist_ok=True)
    trained_on, _ = split_photographs(debian.find(photographs), config)
    generated_pictures = [picture for picture in read_manifest(generated, config) if picture.side == "train"]
    supply = Supply(trained_on, generated_pictures, config, click.echo)
    with click.progressbar(length=config.steps, label="training", show_pos=True) as bar:

        def report(step: int, metrics: dict[str, float]) -> None:
            bar.label = "  ".join(f"{name} {value:.2f}" for name, value in metrics.items())
            bar.update(step - bar.pos)

        state = Training(supply, config, folder).run(report)
    _ship(finish(state, supply, config, click.echo), config, folder / "weights")


@training.command("ship")
@click.option("--folder", type=_FOLDER, required=True, help="Of the run.")
@click.option("--config", "config_file", type=_FILE, default=BUNDLED, help="Settings, TOML.")
def ship_run(folder: Path, config_file: Path) -> None:
    """Write the weights of a run as they are now, finished or not, to look at them."""
    path = folder / CHECKPOINT
    if not path.is_file():
        raise NotFoundError(f"no {CHECKPOINT} in {folder}: name the folder given to `run`")
    _ship(saved_part(path, AVERAGE), read_config(config_file), folder / "weights")


def _ship(state: Mapping[str, torch.Tensor], config: TrainingConfig, folder: Path) -> None:
    """Writes weights, configuration and golden outputs."""
    ship(state, config, folder)
    settings = Settings.load(device="cpu", precision="fp32")
    write_golden(resolve(str(folder), settings), settings)
    click.echo(f"weights, configuration and golden outputs are in {folder}")


if __name__ == "__main__":
    try:
        training()
    except DejafakeError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
