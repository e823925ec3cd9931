"""The detectors dejafake knows by name, and finding one on this machine. Never loads torch.

Loading a found detector is the business of `indexer.detector.loading`.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from filelock import FileLock

from indexer.detector import bundled
from indexer.detector.checkpoint import Checkpoint, read_checkpoint
from indexer.detector.golden import GoldenOutputs, find_golden, proof_statement
from indexer.detector.hub import download
from indexer.detector.spec import Architecture, DetectorSpec, Head, Preprocessing, fingerprint
from indexer.detector.weights import WEIGHTS_FILE, digest
from indexer.errors import NotFoundError, UsageError, WeightsRefusedError, WeightsUnavailableError
from indexer.settings import Settings
from indexer.vocabulary import Progress

COMMUNITY_FORENSICS: Final = DetectorSpec(
    name="community-forensics-384",
    summary="Community Forensics ViT-S/16 at 384 px (Park & Owens, CVPR 2025, arXiv 2411.04125), trained on pictures "
    "of thousands of generators.",
    repository="buildborderless/CommunityForensics-DeepfakeDet-ViT",
    revision="ac6ee457bea904a373065754107451793b56db00",
    filename=WEIGHTS_FILE,
    sha256="275ba982236ddd6afddf7131f8133e89f537574b964cf8fa5825b4956d741692",
    byte_size=87_270_764,
    architecture=Architecture("vit_small_patch16_384", depth=12, heads=6, mlp_width=1536),
    preprocessing=Preprocessing(
        resize_shortest=440,
        resample=3,
        crop=384,
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
    ),
    head=Head("sigmoid", 0, ("fake",)),
    licence="MIT",
    trained=True,
    limits=(
        "12-megapixel camera photographs score too high",
        "recent GPT-image pictures are missed",
        "screenshots, heavy recompression and art are outside its domain",
        "the centre crop does not see the border of a picture",
        "one detector is a signal, not proof",
    ),
)
SPECS: Final = {spec.name: spec for spec in (bundled.SPEC, COMMUNITY_FORENSICS)}
_BESIDE: Final = ("config.json", "preprocessor_config.json")


@dataclass(frozen=True, slots=True)
class ResolvedDetector:
    """A detector whose files are in `folder`; `spec` carries the preprocessing and head read from beside the weights.
    `golden` is None when no golden outputs exist."""

    spec: DetectorSpec
    folder: Path
    fingerprint: str
    checkpoint: Checkpoint
    golden: GoldenOutputs | None


@dataclass(frozen=True, slots=True)
class DetectorListing:
    """A line of `dejafake detector list`. `state`: `ready`, `not pulled` or `refused`; `reason` says why it was
    refused; `proved` says what stands behind it; `fingerprint` is None unless ready."""

    spec: DetectorSpec
    state: str
    reason: str | None
    proved: str
    fingerprint: str | None
    in_use: bool


def list_detectors(settings: Settings) -> tuple[DetectorListing, ...]:
    """The registry's detectors, then the local folder in use if there is one. Fetches nothing."""
    listings = [_listing(spec, settings) for spec in SPECS.values()]
    if settings.detector not in SPECS:
        resolved = resolve(settings.detector, settings)
        proved = proof_statement(resolved.golden, False)
        listings.append(DetectorListing(resolved.spec, "ready", None, proved, resolved.fingerprint, True))
    return tuple(listings)


def resolve(
    name_or_folder: str, settings: Settings, *, allow_download: bool = True, progress: Progress | None = None
) -> ResolvedDetector:
    """The detector of that name, pulled first if need be, or the one in that folder.

    Hashes the weights anew: a pinned detector whose file changed is refused.

    Raises:
        NotFoundError: neither a name of the registry nor a folder.
        WeightsUnavailableError: not on this machine, and it may not or cannot be fetched.
        WeightsRefusedError: the files are not what the registry pins, or something we cannot honour.
    """
    spec = SPECS.get(name_or_folder)
    if spec is None:
        return _resolve_folder(Path(name_or_folder))
    folder = weights_folder(spec, settings)
    if not folder.is_dir() and spec.repository is not None:
        if settings.offline or not allow_download:
            why = "DEJAFAKE_OFFLINE is set" if settings.offline else "downloading was not asked for"
            raise WeightsUnavailableError(
                f"the weights of {spec.name} are not on this machine and {why}: run `dejafake detector "
                f"pull {spec.name}` while connected, or use the bundled detector with DEJAFAKE_DETECTOR=dejafake-small"
            )
        _download_once(spec, folder, progress)
    return _resolve_known(spec, folder)


def pull(name: str, settings: Settings, progress: Progress | None = None) -> ResolvedDetector:
    """Fetches the weights of a registry detector; replaces files that turned out damaged, and does nothing when they
    are whole.

    Raises:
        UsageError: it is no name of the registry.
        WeightsUnavailableError, WeightsRefusedError: as `resolve`.
    """
    spec = SPECS.get(name)
    if spec is None:
        raise UsageError(f"{name} cannot be pulled: the registry has {', '.join(SPECS)}")
    folder = weights_folder(spec, settings)
    if folder.is_dir():
        try:
            return _resolve_known(spec, folder)
        except WeightsRefusedError:
            if settings.offline or spec.repository is None:
                raise
            shutil.rmtree(folder)
    return resolve(name, settings, progress=progress)


def weights_folder(spec: DetectorSpec, settings: Settings) -> Path:
    """Where the files of a registry detector are kept: the bundled one's in the package, of the others one folder a
    pinned revision, so that a new one never meets old files."""
    if spec.name == bundled.SPEC.name:
        return bundled.FOLDER
    return settings.weights_dir / spec.name / str(spec.revision or spec.sha256)[:12]


def _download_once(spec: DetectorSpec, folder: Path, progress: Progress | None) -> None:
    """Downloads unless another process, which we wait for, has just done it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock")):
            if not folder.is_dir():
                download(spec, folder, _BESIDE, progress)
    except OSError as error:
        raise WeightsUnavailableError(f"{folder.parent} cannot be written: {error.strerror or error}") from None


def _resolve_known(spec: DetectorSpec, folder: Path) -> ResolvedDetector:
    checkpoint = read_checkpoint(folder)
    weights_digest = digest(checkpoint.weights)
    if weights_digest != spec.sha256:
        raise WeightsRefusedError(
            f"{checkpoint.weights} has SHA-256 {weights_digest}, not {spec.sha256} as pinned for {spec.name}: it was "
            f"changed or damaged; {_mend(spec)}"
        )
    _check_description(spec, checkpoint)
    actual = replace(
        spec, architecture=checkpoint.architecture, preprocessing=checkpoint.preprocessing, head=checkpoint.head
    )
    return _resolved(actual, folder, checkpoint, weights_digest)


def _check_description(spec: DetectorSpec, checkpoint: Checkpoint) -> None:
    """The files beside the weights have the last word on preprocessing; the shape and the kind of head are the
    registry's, for an early upload of one detector came with those of another network."""
    ours, theirs = spec.architecture, checkpoint.architecture
    for word in ("depth", "heads", "mlp_width", "conv_stem"):
        if getattr(ours, word) != getattr(theirs, word):
            raise WeightsRefusedError(
                f"config.json of {spec.name} says {word} {getattr(theirs, word)}, the registry {getattr(ours, word)}: "
                f"{_mend(spec)}"
            )
    if (spec.head.kind, len(spec.head.classes)) != (checkpoint.head.kind, len(checkpoint.head.classes)):
        raise WeightsRefusedError(
            f"config.json of {spec.name} describes {len(checkpoint.head.classes)} classes, the registry "
            f"{len(spec.head.classes)}: {_mend(spec)}"
        )


def _mend(spec: DetectorSpec) -> str:
    """What to do about files that are not what the registry pins."""
    return "install dejafake again" if spec.repository is None else f"run `dejafake detector pull {spec.name}`"


def _resolve_folder(folder: Path) -> ResolvedDetector:
    if not folder.is_dir():
        if folder.is_file():
            raise NotFoundError(f"{folder} is a file: name the folder that holds {WEIGHTS_FILE} and config.json")
        raise NotFoundError(f"no detector and no folder is called {folder}: the registry has {', '.join(SPECS)}")
    checkpoint = read_checkpoint(folder)
    spec = DetectorSpec(
        name=f"local:{folder.resolve().name}",
        summary="Weights of a local folder.",
        repository=None,
        revision=None,
        filename=WEIGHTS_FILE,
        sha256=None,
        byte_size=checkpoint.weights.stat().st_size,
        architecture=checkpoint.architecture,
        preprocessing=checkpoint.preprocessing,
        head=checkpoint.head,
        licence="not stated",
        trained=checkpoint.trained,
        limits=("nothing is known here of what it was trained on or how good it is",),
    )
    return _resolved(spec, folder, checkpoint, digest(checkpoint.weights))


def _resolved(spec: DetectorSpec, folder: Path, checkpoint: Checkpoint, weights_sha256: str) -> ResolvedDetector:
    mark = fingerprint(weights_sha256, spec.architecture, spec.preprocessing, spec.head)
    return ResolvedDetector(spec, folder, mark, checkpoint, find_golden(folder))


def _listing(spec: DetectorSpec, settings: Settings) -> DetectorListing:
    in_use, folder = settings.detector == spec.name, weights_folder(spec, settings)
    if not folder.is_dir() and spec.repository is not None:
        return DetectorListing(spec, "not pulled", None, proof_statement(None, True), None, in_use)
    try:
        resolved = _resolve_known(spec, folder)
    except WeightsRefusedError as error:
        return DetectorListing(spec, "refused", str(error), "nothing", None, in_use)
    proved = proof_statement(resolved.golden, True)
    return DetectorListing(resolved.spec, "ready", None, proved, resolved.fingerprint, in_use)
