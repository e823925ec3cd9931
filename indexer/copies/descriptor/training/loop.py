"""The training loop: seeded, resumable at every saved step, one JSON line of metrics every ten steps."""

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from indexer.copies.descriptor.network import CopyNetwork, NetworkShape
from indexer.copies.descriptor.training.config import TrainingConfig
from indexer.copies.descriptor.training.objectives import Memory, copy_loss, entropy_loss
from indexer.copies.descriptor.training.supply import Collection, Supply
from indexer.detector.training.checkpoints import CHECKPOINT, follow, load_run, log_metrics, save_run
from indexer.detector.training.network import bfloat16_where_fast


class Training:
    """One run in `folder`, resumed if an earlier run there was interrupted."""

    def __init__(self, pictures: Collection, config: TrainingConfig, folder: Path) -> None:
        torch.manual_seed(config.seed)
        self._pictures, self._config, self._folder = pictures, config, folder
        self._network = new_network(config)
        self._average = copy.deepcopy(self._network)
        self._optimiser = _optimiser(self._network, config)
        self._memory = Memory.empty(config.dimension)
        self._step = 0
        if (folder / CHECKPOINT).is_file():
            self._load()

    def run(self, report: Callable[[int, dict[str, float]], None], until: int | None = None) -> None:
        """Trains to the last step, or to `until`; `report` gets the step and its metrics."""
        config = self._config
        last = config.steps if until is None else min(until, config.steps)
        while self._step < last:
            started = time.monotonic()
            metrics = self._train()
            metrics["seconds"] = time.monotonic() - started
            self._step += 1
            report(self._step, metrics)
            if self._step % 10 == 0:
                log_metrics(self._folder, self._step, metrics)
            if self._step % config.save_every == 0 or self._step == last:
                self._save()

    def average(self) -> CopyNetwork:
        """The averaged network, which is what is shipped, in evaluation."""
        return self._average.eval()

    def _train(self) -> dict[str, float]:
        config, network = self._config, self._network
        side, size = self._phase()
        strength = min(1.0, 0.3 + 0.7 * self._step / max(1, config.gentle_steps))
        supply = Supply(self._pictures, config.seed, size, config.views)
        batch = supply.batch(self._step, side, strength)
        network.train()
        for group in self._optimiser.param_groups:
            group["lr"] = _learning_rate(self._step, config)
        with bfloat16_where_fast():
            units = network(torch.cat([batch.plain, batch.altered]).contiguous(memory_format=torch.channels_last))
        plain, altered = units[: len(batch.plain)], units[len(batch.plain) :]
        losses = {
            "copy": copy_loss(plain, altered, batch.numbers, self._memory, config.temperature),
            "entropy": entropy_loss(plain, self._strangers(batch.numbers)),
        }
        loss = losses["copy"] + config.weight_entropy * losses["entropy"]
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        self._optimiser.step()
        follow(self._average, self._network, self._step, self._config.averaging)
        if self._step >= config.memory_after:
            self._memory.add(plain, batch.numbers, config.memory)
        with torch.no_grad():
            first = altered[: len(plain)] @ torch.cat([plain, self._memory.units[: -len(plain)]]).T
            recall = float((first.argmax(dim=1) == torch.arange(len(plain))).float().mean())
        return {name: float(value.detach()) for name, value in losses.items()} | {"found": recall}

    def _strangers(self, numbers: torch.Tensor) -> torch.Tensor:
        """The newest thousand of the memory that are of none of these pictures."""
        units, of = self._memory.units[-1024:], self._memory.numbers[-1024:]
        return units[~torch.isin(of, numbers)]

    def _phase(self) -> tuple[int, int]:
        """Side and pictures of this step."""
        step = self._step
        for phase in self._config.phases:
            if step < phase.steps:
                return phase.side, phase.batch
            step -= phase.steps
        raise IndexError("the run is over")

    def _save(self) -> None:
        memory = {"units": self._memory.units, "numbers": self._memory.numbers}
        save_run(self._folder, self._step, self._network, self._average, memory, self._optimiser)

    def _load(self) -> None:
        self._step, memory = load_run(self._folder, self._network, self._average, self._optimiser)
        self._memory = Memory(**memory)


def new_network(config: TrainingConfig) -> CopyNetwork:
    """A network to train, its weights drawn from torch's seed."""
    network = CopyNetwork(NetworkShape(config.widths, config.depths, config.dimension, folded=False))
    network.to(memory_format=torch.channels_last)
    return network


def _optimiser(network: CopyNetwork, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW; norms, biases and the pooling's power do not decay."""
    decaying = [values for values in network.parameters() if values.ndim > 1]
    others = [values for values in network.parameters() if values.ndim <= 1]
    groups = [{"params": decaying, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))


def _learning_rate(step: int, config: TrainingConfig) -> float:
    """Linear warm-up, then a cosine to a hundredth."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    share = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return config.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
