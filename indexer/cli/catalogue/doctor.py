"""`dejafake doctor`: is this installation sound, and what to mend if not."""

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import click

from indexer import __version__
from indexer.catalog.images import images, reference_hashes
from indexer.cli.output import console, json_option, plain, print_json, progress, table
from indexer.copies.descriptor import resolve_descriptor
from indexer.detector import resolve
from indexer.errors import DejafakeError
from indexer.imaging.limits import ImageLimits
from indexer.index import CopyIndexStatus, IndexStatus
from indexer.settings import Settings
from indexer.upkeep.file_check import FileChecker
from indexer.upkeep.free_space import disk_space
from indexer.workspace import Workspace

_LIBRARIES = ("torch", "timm", "faiss-cpu", "numpy", "pillow", "sqlalchemy", "scikit-learn", "fastapi", "pdqhash")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `state` is `ok`, `warning` or `problem`; the detail says what to do."""

    name: str
    state: str
    detail: str


@click.command()
@click.option(
    "--deep",
    is_flag=True,
    help="Also read every kept original and thumbnail, and report those that changed, are missing, or belong to no "
    "image.",
)
@json_option
@click.pass_obj
def doctor(settings: Settings, deep: bool, as_json: bool) -> int:
    """Check Python, libraries, folders, detector, catalogue and index. Exit code 1 when something must be fixed."""
    findings = tuple(_examine(settings, deep=deep, quiet=as_json))
    if as_json:
        print_json(findings)
    else:
        listing = table("", "what", "finding")
        for finding in findings:
            listing.add_row(
                {"ok": "ok", "warning": "!", "problem": "FAIL"}[finding.state], finding.name, plain(finding.detail)
            )
        console().print(listing)
    return 1 if any(finding.state == "problem" for finding in findings) else 0


def _examine(settings: Settings, *, deep: bool, quiet: bool) -> Iterator[Finding]:
    yield Finding("dejafake", "ok", f"{__version__} on Python {platform.python_version()}, {sys.platform}")
    yield _libraries()
    detector = _detector(settings)
    yield detector
    if detector.state != "problem":
        yield _runtime(settings)
    yield _descriptor(settings)
    try:
        with Workspace(settings) as workspace:
            disk = disk_space(settings.home)
            free = "unknown" if disk is None else f"{disk.free / 1e9:.1f} GB"
            yield Finding(
                "home folder", "warning" if disk is None or disk.low else "ok", f"{settings.home}, {free} free"
            )
            yield Finding("catalogue", "ok", workspace.catalog.url)
            status = workspace.index.status()
            yield _index("index", status)
            if status.copies is not None:
                yield _index("copy index", status.copies)
            yield from _for_copies(workspace, status)
            yield from _old_hashes(workspace)
            yield from _leftovers(workspace)
            if deep:
                yield from _files(workspace, quiet=quiet)
    except DejafakeError as error:
        yield Finding("catalogue and index", "problem", str(error))


def _index(name: str, status: IndexStatus | CopyIndexStatus) -> Finding:
    hint = "" if status.state == "ready" else ": run `dejafake index build`"
    detail = f"{status.state}, {status.count:,} of {status.catalogue_count:,} embeddings{hint}"
    return Finding(name, "ok" if status.state == "ready" else "warning", detail)


def _for_copies(workspace: Workspace, status: IndexStatus) -> Iterator[Finding]:
    """The index of local features, and images that lack what copies are found by."""
    features = status.features
    if features is not None:
        sound = features.state in ("ready", "missing")
        detail = f"{features.state}, local features of {features.count:,} images"
        hint = "" if sound else ": run `dejafake index build`"
        yield Finding("feature index", "ok" if sound else "warning", detail + hint)
    lacking = workspace.lacking_for_copies()
    if lacking:
        words = f"{lacking:,} images lack what altered copies are found by: run `dejafake copies prepare`"
        yield Finding("copies", "warning", words)


def _old_hashes(workspace: Workspace) -> Iterator[Finding]:
    """Images that still have the PDQ hash of an older version."""
    with workspace.catalog.reading() as session:
        old = reference_hashes.count_lacking(session)
    if old:
        words = f"{old:,} images have one that an older version took and that is not exported"
        yield Finding("PDQ hashes", "warning", f"{words}: run `dejafake hashes rebuild`, which renews what it can")


def _leftovers(workspace: Workspace) -> Iterator[Finding]:
    """Files of deleted images that could not be removed when they were, nor when this installation was opened."""
    left = workspace.remove_files().left
    if left:
        sha256, why = next(iter(left.items()))
        words = f"files of {len(left):,} deleted images could not be removed, first {sha256}: {why}"
        yield Finding("deleted files", "problem", words)


def _files(workspace: Workspace, *, quiet: bool) -> Iterator[Finding]:
    settings = workspace.settings
    checker = FileChecker(
        workspace.catalog,
        workspace.originals,
        workspace.thumbnails,
        ImageLimits.from_settings(settings),
        keep_originals=settings.keep_originals,
    )
    with workspace.catalog.reading() as session:
        count = images.counts(session).images
    with progress("files", count, quiet=quiet) as advance:
        report = checker.run(advance)
    for file in report.bad:
        yield Finding(f"file of {file.sha256[:16]}", "problem", f"{file.words} ({file.path})")
    if not report.bad:
        words = f"{report.originals:,} originals and the thumbnails of {report.images:,} images are what they should be"
        yield Finding("files", "ok", words)


def _libraries() -> Finding:
    present, missing = [], []
    for name in _LIBRARIES:
        try:
            present.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("libraries", "problem", f"missing: {', '.join(missing)}; run `pip install dejafake` again")
    return Finding("libraries", "ok", ", ".join(present))


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
        f"{runtime.runtime} {runtime.precision} {'' if runtime.rate is None else f'{runtime.rate:.1f} '}"
        f"{'' if runtime.why_not is None else f'({runtime.why_not})'}".strip()
        for runtime in choice.measured
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


def _descriptor(settings: Settings) -> Finding:
    """Whether the copy descriptor can be used; without one, searches still go on."""
    try:
        resolved = resolve_descriptor(settings.copy_descriptor)
        if resolved is None:
            return Finding("copy descriptor", "ok", "off: altered copies are found by hash and local features alone")
        from indexer.copies.descriptor.loading import load_descriptor

        loaded = load_descriptor(settings, resolved)
    except DejafakeError as error:
        return Finding("copy descriptor", "problem", str(error))
    words = f"{loaded.spec.name}, fingerprint {loaded.fingerprint[:16]}, on {loaded.runtime} {loaded.precision}"
    return Finding("copy descriptor", "ok", words)
