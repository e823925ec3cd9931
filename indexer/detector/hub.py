"""Downloads weights from the model hub: a pinned revision, verified by size and SHA-256 before it can be loaded."""

import os
import shutil
from pathlib import Path
from typing import Any, Final

from indexer.detector.spec import DetectorSpec
from indexer.detector.weights import digest
from indexer.errors import WeightsRefusedError, WeightsUnavailableError
from indexer.vocabulary import Progress

_CONNECT_SECONDS: Final = 10.0


def download(spec: DetectorSpec, folder: Path, beside: tuple[str, ...], progress: Progress | None) -> None:
    """Fetches the weights of `spec` and the files `beside` them into `folder`, which exists afterwards only if the
    weights are the ones pinned. An interrupted download is taken up again.

    `progress` hears of each file by its name, in bytes; without it the hub's client draws its own bar on the terminal.
    No account is used: no token is sent. A mirror can be named by the hub's own variable, HF_ENDPOINT.

    Raises:
        WeightsUnavailableError: the hub cannot be reached or has no such file, or the disk is full.
        WeightsRefusedError: what came is not what the spec pins.
    """
    staging = folder.with_name(folder.name + ".partial")
    try:
        staging.mkdir(parents=True, exist_ok=True)
        for filename in (*beside, spec.filename):
            _fetch(spec, filename, staging, progress)
        _verify(spec, staging)
        shutil.rmtree(staging / ".cache", ignore_errors=True)
        staging.rename(folder)
    except OSError as error:
        raise WeightsUnavailableError(
            f"{spec.name} cannot be kept in {folder.parent}: {error.strerror or error}"
        ) from None


def _fetch(spec: DetectorSpec, filename: str, staging: Path, progress: Progress | None) -> None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    assert spec.repository is not None
    mirror = os.environ.get("HF_ENDPOINT")
    try:
        # One question without retries first: without a network the download alone would try for half a minute.
        url = hf_hub_url(spec.repository, filename, revision=spec.revision, endpoint=mirror)
        get_hf_file_metadata(url, token=False, timeout=_CONNECT_SECONDS, endpoint=mirror)
        hf_hub_download(
            spec.repository,
            filename,
            revision=spec.revision,
            local_dir=staging,
            token=False,
            endpoint=mirror,
            tqdm_class=None if progress is None else _meter_class(filename, progress),
        )
    except Exception as error:
        # The client lets errors of its HTTP library through, and which library that is differs between its versions.
        if isinstance(error, OSError) and error.filename is not None:
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise WeightsUnavailableError(
            f"{filename} of {spec.name} could not be fetched from the model hub ({reason}): connect to the network and "
            f"run `dejafake detector pull {spec.name}`, or use the bundled one with DEJAFAKE_DETECTOR=dejafake-small"
        ) from None


def _verify(spec: DetectorSpec, staging: Path) -> None:
    path = staging / spec.filename
    size, actual = path.stat().st_size, digest(path)
    if size == spec.byte_size and actual == spec.sha256:
        return
    shutil.rmtree(staging, ignore_errors=True)
    raise WeightsRefusedError(
        f"what the hub sent as {spec.filename} of {spec.name} is refused: {size} bytes with SHA-256 {actual}, "
        f"expected {spec.byte_size} bytes with {spec.sha256}"
    )


def _meter_class(filename: str, progress: Progress) -> Any:
    """What the hub's client takes for a tqdm class: it draws nothing and tells `progress`."""

    class Meter:
        def __init__(self, *, total: float | None = None, initial: float = 0, **_options: object) -> None:
            self.total = total
            self.n = initial

        def __enter__(self) -> "Meter":
            return self

        def __exit__(self, *_error: object) -> None:
            self.close()

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            progress(filename, int(self.n), None if self.total is None else int(self.total))

        def close(self) -> None:
            """Nothing is open."""

    return Meter
