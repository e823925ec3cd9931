"""`dejafake doctor`: is this installation sound, and what to mend if not."""

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import click

from indexer import __version__
from indexer.cli.output import console, json_option, plain, print_json, table
from indexer.detector import resolve
from indexer.errors import DejafakeError
from indexer.settings import MIB, Settings
from indexer.workspace import Workspace

_LIBRARIES = ("torch", "timm", "faiss-cpu", "numpy", "pillow", "sqlalchemy", "scikit-learn", "fastapi", "pdqhash")
_FEW_BYTES = 500 * MIB


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `state` is `ok`, `warning` or `problem`; the detail says what to do."""

    name: str
    state: str
    detail: str


@click.command()
@json_option
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> int:
    """Check Python, libraries, folders, detector, catalogue and index. Exit code 1 when something must be mended."""
    findings = tuple(_examine(settings))
    if as_json:
        print_json(findings)
    else:
        made = table("", "what", "finding")
        for one in findings:
            made.add_row({"ok": "ok", "warning": "!", "problem": "FAIL"}[one.state], one.name, plain(one.detail))
        console().print(made)
    return 1 if any(one.state == "problem" for one in findings) else 0


def _examine(settings: Settings) -> Iterator[Finding]:
    yield Finding("dejafake", "ok", f"{__version__} on Python {platform.python_version()}, {sys.platform}")
    yield _libraries()
    detector = _detector(settings)
    yield detector
    if detector.state != "problem":
        yield _runtime(settings)
    try:
        with Workspace(settings) as workspace:
            free = shutil.disk_usage(settings.home).free
            state = "ok" if free > _FEW_BYTES else "warning"
            yield Finding("home folder", state, f"{settings.home}, {free / 1e9:.1f} GB free")
            yield Finding("catalogue", "ok", workspace.catalog.url)
            status = workspace.index.status()
            hint = "" if status.state == "ready" else ": run `dejafake index build`"
            detail = f"{status.state}, {status.count:,} of {status.catalogue_count:,} embeddings{hint}"
            yield Finding("index", "ok" if status.state == "ready" else "warning", detail)
    except DejafakeError as error:
        yield Finding("catalogue and index", "problem", str(error))


def _libraries() -> Finding:
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("libraries", "problem", f"missing: {', '.join(missing)}; run `pip install dejafake` again")
    return Finding("libraries", "ok", ", ".join(found))


def _runtime(settings: Settings) -> Finding:
    """What runs the detector here, found by the same trial as in long runs."""
    from indexer.detector import load_detector

    try:
        detector = load_detector(settings)
        choice = detector.choose_runtime()
    except DejafakeError as error:
        return Finding("runtime", "problem", str(error))
    serving = f"{detector.runtime} {detector.precision} on {detector.device}"
    if choice is None:
        return Finding("runtime", "ok", f"{serving}, as set or as there is no other here")
    tried = (
        f"{one.runtime} {one.precision} {'' if one.rate is None else f'{one.rate:.1f} '}"
        f"{'' if one.why_not is None else f'({one.why_not})'}".strip()
        for one in choice.measured
    )
    return Finding("runtime", "ok", f"{serving} in long runs. Pictures a second: {'; '.join(tried)}")


def _detector(settings: Settings) -> Finding:
    try:
        resolved = resolve(settings.detector, settings, allow_download=False)
    except DejafakeError as error:
        return Finding("detector", "problem", str(error))
    if not resolved.spec.trained:
        return Finding(
            "detector", "warning", f"{resolved.spec.name} is not trained: verdicts by it are always not_assessable"
        )
    return Finding("detector", "ok", f"{resolved.spec.name}, fingerprint {resolved.fingerprint[:16]}")
