"""The settings of one training run, read from a TOML file; `copies.toml` beside this file is the bundled one's."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from indexer.detector.training.settings_file import read_settings

BUNDLED: Final = Path(__file__).with_name("copies.toml")


class Phase(BaseModel):
    """A part of the run in which pictures have one size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(ge=1)
    side: int = Field(ge=32, multiple_of=32, description="pixels the network sees")
    batch: int = Field(ge=2, description="pictures a step")


class TrainingConfig(BaseModel):
    """Everything that determines the result, except the pictures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    dimension: int
    side: int = Field(ge=32, multiple_of=32, description="pixels the network sees in use")
    phases: tuple[Phase, ...]
    views: int = Field(ge=1, description="re-shared copies of each picture of a step")
    gentle_steps: int = Field(ge=0, description="first steps, in which alterations grow to full strength")
    learning_rate: float
    weight_decay: float
    warmup_steps: int = Field(ge=1)
    memory: int = Field(ge=0, description="embeddings of past steps that are compared with too")
    memory_after: int = Field(ge=0, description="steps before the memory is used: early embeddings drift too fast")
    temperature: float
    weight_entropy: float
    averaging: float = Field(description="share of the running average of the weights that stays at every step")
    save_every: int = Field(ge=1)
    whitening: int = Field(ge=2, description="pictures on which the last layer's whitening is measured")
    background: int = Field(ge=1, description="embeddings shipped for score normalisation")

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return sum(phase.steps for phase in self.phases)


def read_config(path: Path) -> TrainingConfig:
    """The configuration in a TOML file.

    Raises:
        UsageError: it cannot be read, or a value is wrong.
    """
    return read_settings(path, TrainingConfig)
