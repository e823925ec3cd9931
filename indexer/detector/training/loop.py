"""The training loop: resumable, seeded, one JSON line of metrics every ten steps."""

import copy
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy, normalize

from indexer.detector.spec import IMAGE_SIZE, PATCHES
from indexer.detector.training.checkpoints import CHECKPOINT, follow, load_run, log_metrics, save_run
from indexer.detector.training.config import TrainingConfig
from indexer.detector.training.network import TrainingNetwork, bfloat16_where_fast
from indexer.detector.training.objectives import Memory, instance_loss, origin_loss, verdict_loss
from indexer.detector.training.supply import PHOTOGRAPH, Batch, StemBatch, Supply
from indexer.vocabulary import EMBEDDING_SIZE

_AVERAGING = 0.995
"""Share of the running average of the weights that stays at every step; the average is what is shipped."""


class Training:
    """One run in `folder`, resumed if an earlier run there was interrupted."""

    def __init__(self, supply: Supply, config: TrainingConfig, folder: Path) -> None:
        torch.manual_seed(config.seed)
        self._supply, self._config, self._folder = supply, config, folder
        self._network = TrainingNetwork(config, len(supply.kinds))
        self._network.to(memory_format=torch.channels_last)
        self._average = copy.deepcopy(self._network)
        self._optimiser = _optimiser(self._network, config)
        self._memory = Memory.empty(EMBEDDING_SIZE)
        self._step = 0
        if (folder / CHECKPOINT).is_file():
            self._load()

    def run(self, report: Callable[[int, dict[str, float]], None]) -> dict[str, torch.Tensor]:
        """Trains to the last step and returns the state of the averaged network; `report` is called with step and
        metrics."""
        config = self._config
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._batch, self._step)
            while self._step < config.steps:
                batch = coming.result()
                coming = ahead.submit(self._batch, self._step + 1)
                started = time.monotonic()
                metrics = self._train_stem(batch) if isinstance(batch, StemBatch) else self._train(batch)
                metrics["seconds"] = time.monotonic() - started
                self._step += 1
                report(self._step, metrics)
                if self._step % 10 == 0:
                    log_metrics(self._folder, self._step, metrics)
                if self._step % config.save_every == 0 or self._step == config.steps:
                    self._save()
        return self._average.state_dict()

    def _batch(self, step: int) -> StemBatch | Batch:
        return self._supply.stem_batch(step) if step < self._config.stem_steps else self._supply.batch(step)

    def _train_stem(self, batch: StemBatch) -> dict[str, float]:
        """One step that trains only the stem on verdict and kind, which allows many more pictures in the same time."""
        config, network = self._config, self._network
        network.train()
        self._set_pace(_learning_rate(self._step, config.stem_steps, config.stem_learning_rate, config))
        with bfloat16_where_fast():
            early = network.stem_only(self._window(batch.plain)).float()
        losses = {
            "verdict": verdict_loss(early[:, 0], batch.fake, batch.weights),
            "generator": cross_entropy(early[:, 1:], batch.kinds),
        }
        self._update(losses["verdict"] + 0.5 * losses["generator"])
        shares = {"accuracy": _accuracy(early[:, 0], batch)}
        return {name: float(value.detach()) for name, value in losses.items()} | shares

    def _train(self, batch: Batch) -> dict[str, float]:
        """One step that trains the transformer, with the stem frozen."""
        config, network = self._config, self._network
        network.train()
        network.stem.eval().requires_grad_(False)
        step, steps = self._step - config.stem_steps, config.steps - config.stem_steps
        self._set_pace(_learning_rate(step, steps, config.learning_rate, config))
        pictures = torch.cat([batch.plain, batch.copy]).contiguous(memory_format=torch.channels_last)
        with bfloat16_where_fast():
            cls = network(pictures, self._seen())
        cls = network.standardised(cls.float())
        units = normalize(cls, dim=1)
        plain, shared = units.chunk(2)
        both = torch.cat([batch.kinds, batch.kinds])
        origins = torch.where(both == PHOTOGRAPH, -1, both)
        contents = torch.cat([batch.contents, batch.contents])
        logits = network.verdict(cls)
        fake, weights = torch.cat([batch.fake] * 2), torch.cat([batch.weights, batch.weights * 0.5])
        losses = {
            "verdict": verdict_loss(logits, fake, weights),
            "generator": cross_entropy(network.kind(units, config.temperature), origins, ignore_index=-1),
            "instance": instance_loss(plain, shared, batch.contents, batch.usable, self._memory, config.temperature),
            "origin": origin_loss(units, contents, origins, self._memory, config.temperature),
        }
        loss = (
            config.weight_verdict * losses["verdict"]
            + config.weight_generator * losses["generator"]
            + config.weight_instance * losses["instance"]
            + config.weight_origin * losses["origin"]
        )
        self._update(loss)
        self._memory.add(units, contents, origins, config.memory)
        shares = {"accuracy": _accuracy(logits, batch)}
        return {name: float(value.detach()) for name, value in losses.items()} | shares

    def _update(self, loss: torch.Tensor) -> None:
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimiser.step()
        follow(self._average, self._network, self._step, _AVERAGING)

    def _set_pace(self, learning_rate: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate

    def _seen(self) -> torch.Tensor | None:
        """The patches used in this step, drawn at random; None towards the end: all of them."""
        if self._step >= self._config.steps - self._config.whole_picture_steps:
            return None
        random = np.random.default_rng((self._config.seed, self._step, 1))
        return torch.from_numpy(random.permutation(PATCHES)[: self._config.patches])

    def _window(self, pictures: torch.Tensor) -> torch.Tensor:
        """The same random square part of all pictures; another one in each step."""
        random = np.random.default_rng((self._config.seed, self._step, 1))
        top, left = random.integers(IMAGE_SIZE - self._config.window + 1, size=2)
        window = pictures[:, :, top : top + self._config.window, left : left + self._config.window]
        return window.contiguous(memory_format=torch.channels_last)

    def _save(self) -> None:
        memory = {"units": self._memory.units, "pictures": self._memory.pictures, "origins": self._memory.origins}
        save_run(self._folder, self._step, self._network, self._average, memory, self._optimiser)

    def _load(self) -> None:
        self._step, memory = load_run(self._folder, self._network, self._average, self._optimiser)
        self._memory = Memory(**memory)


def _accuracy(scores: torch.Tensor, batch: StemBatch | Batch) -> float:
    """Share of plain views classified correctly, without pictures that are only partly manipulated."""
    right = (scores[: len(batch.fake)].detach() > 0) == batch.fake.bool()
    return float(right[batch.weights == 1].float().mean())


def _optimiser(network: TrainingNetwork, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW; norms, biases and position embeddings do not decay."""
    decaying = [p for name, p in network.named_parameters() if p.ndim > 1 and "pos_embed" not in name]
    others = [p for name, p in network.named_parameters() if p.ndim <= 1 or "pos_embed" in name]
    groups = [{"params": decaying, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))


def _learning_rate(step: int, steps: int, highest: float, config: TrainingConfig) -> float:
    """Linear warm-up, then a cosine to a fiftieth."""
    if step < config.warmup_steps:
        return highest * (step + 1) / config.warmup_steps
    share = (step - config.warmup_steps) / max(1, steps - config.warmup_steps)
    return highest * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
