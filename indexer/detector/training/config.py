"""The settings of one training run, read from a TOML file; `small.toml` beside this file is the bundled detector's."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from indexer.detector.spec import IMAGE_SIZE, PATCHES
from indexer.detector.training.settings_file import read_settings

BUNDLED: Final = Path(__file__).with_name("small.toml")


class TrainingConfig(BaseModel):
    """Everything that determines the result, except the pictures. Probabilities and shares are within [0, 1]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    unseen_generators: tuple[str, ...] = Field(description="never shown in training, nor used to choose anything")
    held_out_prompts: float = Field(description="share of the prompts kept for evaluation")
    held_out_alone: float = Field(description="share kept of the pictures that have no prompt")
    held_out_photographs: float = Field(description="share of the photographs kept for evaluation")

    depth: int = Field(ge=1, le=12)
    mlp_ratio: float
    conv_stem: tuple[tuple[int, int], ...]

    tiles_per_photograph: int = Field(ge=1)
    manipulated_share: float = Field(description="of the tiles, also kept with a manipulation made in code")
    autoencoder_steps: int = Field(ge=1)

    stem_steps: int = Field(ge=0, description="first steps, in which the stem learns alone")
    stem_batch: int = Field(ge=2, description="pictures a step meanwhile, each seen in one view")
    window: int = Field(ge=16, le=IMAGE_SIZE, description="side of the window the stem learns on, in pixels of 384")
    stem_learning_rate: float
    steps: int = Field(ge=1, description="with the first and the last ones")
    whole_picture_steps: int = Field(description="last steps, in which all patches are seen")
    batch: int = Field(ge=2, description="pictures a step; each is seen in two views")
    patches: int = Field(ge=1, le=PATCHES, description="patches of each picture that are seen in a step, of 576")
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    drop_path: float
    memory: int = Field(description="embeddings of past steps the contrastive losses compare with")
    temperature: float
    weight_verdict: float
    weight_generator: float
    weight_instance: float
    weight_origin: float
    save_every: int
    finishing_batches: int = Field(
        ge=1, description="whole pictures measured at the end, in batches of the stem's size"
    )


def read_config(path: Path) -> TrainingConfig:
    """The configuration in a TOML file.

    Raises:
        UsageError: it cannot be read, or a value is wrong.
    """
    return read_settings(path, TrainingConfig)
