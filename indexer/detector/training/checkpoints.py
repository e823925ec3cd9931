"""The files of a training run, for the detector's and for that of copies: what it goes on from, and its metrics."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

CHECKPOINT: Final = "checkpoint.safetensors"
METRICS: Final = "metrics.jsonl"
AVERAGE: Final = "average"
"""The part of a checkpoint that holds the averaged network."""


def save_run(
    folder: Path,
    step: int,
    network: nn.Module,
    average: nn.Module,
    memory: Mapping[str, Tensor],
    optimiser: torch.optim.Optimizer,
) -> None:
    """Writes everything that a run in `folder` goes on from, in one file and in one step."""
    steps: dict[int, dict[str, Tensor]] = optimiser.state_dict()["state"]
    parts: dict[str, Mapping[str, Tensor]] = {
        "network": network.state_dict(),
        AVERAGE: average.state_dict(),
        "memory": memory,
        **{f"optimiser/{number}": values for number, values in steps.items()},
    }
    tensors = {f"{part}/{name}": values.contiguous() for part, of in parts.items() for name, values in of.items()}
    path = folder / (CHECKPOINT + ".part")
    save_file(tensors, path, metadata={"step": str(step)})
    path.replace(folder / CHECKPOINT)


def load_run(
    folder: Path, network: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[int, dict[str, Tensor]]:
    """Fills the networks and the optimiser with what `save_run` wrote in `folder`; returns the step and the memory."""
    path = folder / CHECKPOINT
    with safe_open(path, framework="pt") as file:
        step = int(file.metadata()["step"])
    network.load_state_dict(saved_part(path, "network"))
    average.load_state_dict(saved_part(path, AVERAGE))
    steps: dict[int, dict[str, Tensor]] = {}
    for name, values in saved_part(path, "optimiser").items():
        number, _, what = name.partition("/")
        steps.setdefault(int(number), {})[what] = values
    optimiser.load_state_dict(optimiser.state_dict() | {"state": steps})
    return step, saved_part(path, "memory")


def saved_part(path: Path, part: str) -> dict[str, Tensor]:
    """The tensors of one part of a checkpoint, `network` or `average` for example, under their own names, in memory of
    their own."""
    prefix = part + "/"
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
        return {name.removeprefix(prefix): file.get_tensor(name).clone() for name in names}


def log_metrics(folder: Path, step: int, metrics: Mapping[str, float]) -> None:
    """Adds one JSON line to the metrics of a run."""
    line: dict[str, Any] = {"step": step} | {name: round(value, 4) for name, value in metrics.items()}
    with (folder / METRICS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def follow(average: nn.Module, network: nn.Module, step: int, most: float) -> None:
    """Moves a running average towards a network. Statistics of batch normalisation are averaged like weights.

    Args:
        step: of the run; the average follows faster at its beginning.
        most: largest share of the average that stays.
    """
    keep = min(most, (1 + step) / (10 + step))
    with torch.no_grad():
        now = network.state_dict()
        for name, values in average.state_dict().items():
            if values.is_floating_point():
                values.lerp_(now[name], 1 - keep)
