"""A folder with weights and configuration in either layout. Needs no torch."""

from dataclasses import dataclass
from pathlib import Path

from indexer.detector import timm_layout, transformers_layout
from indexer.detector.configuration import Configuration
from indexer.detector.spec import Architecture, Head, Preprocessing
from indexer.detector.weights import KeyMap, check_shapes, common_prefix, find_weights, model_shapes
from indexer.errors import WeightsRefusedError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The description a folder gives of its weights. `trained` is True unless config.json says `"trained": false`."""

    weights: Path
    architecture: Architecture
    preprocessing: Preprocessing
    head: Head
    trained: bool
    keys: KeyMap

    def check_shapes(self) -> None:
        """Refuses weights whose tensors are not exactly those of the configuration (see `weights.check_shapes`)."""
        expected = model_shapes(self.architecture, len(self.head.classes))
        check_shapes(self.weights, expected, self.keys)


def read_checkpoint(folder: Path) -> Checkpoint:
    """Reads config.json, preprocessor_config.json (Transformers layout) and the names in the weights of `folder`.

    Raises:
        WeightsRefusedError: a file is missing, has a refused format, or asks for something unsupported.
    """
    path = find_weights(folder)
    config = Configuration.read(folder / "config.json")
    trained = config.flag("trained", True)
    if "architecture" in config:
        architecture, head = timm_layout.read_architecture(config), timm_layout.read_head(config)
        names = list(model_shapes(architecture, len(head.classes)))
        keys = timm_layout.key_map(names, common_prefix(path, "patch_embed.proj.weight"))
        return Checkpoint(path, architecture, timm_layout.read_preprocessing(config), head, trained, keys)
    if "model_type" not in config:
        raise WeightsRefusedError(
            f"config.json in {folder} has neither a Transformers model_type nor a timm architecture"
        )
    architecture, head = transformers_layout.read_architecture(config), transformers_layout.read_head(config)
    preprocessing = transformers_layout.read_preprocessing(Configuration.read(folder / "preprocessor_config.json"))
    keys = transformers_layout.key_map(architecture)
    return Checkpoint(path, architecture, preprocessing, head, trained, keys)
