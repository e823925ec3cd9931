"""Measuring what the detector's scores mean on labelled pictures, and keeping the result as the next version."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from indexer.calibration import CalibrationVersion, ScoreHead
from indexer.calibration.fit import CalibrationOptions, Material, calibrate
from indexer.catalog.detections import calibrations
from indexer.detector import DetectorSpec, ResolvedDetector
from indexer.errors import UsageError
from indexer.evaluation.labelled import LabelledSet, labelled_set
from indexer.sources.label_words import TABLE_ONLY, LabelWords, WordCount
from indexer.vocabulary import Progress, no_progress
from indexer.workspace import Workspace


def run_calibration(
    workspace: Workspace,
    what: str,
    options: CalibrationOptions | None = None,
    progress: Progress | None = None,
    *,
    words: LabelWords = TABLE_ONLY,
    roots: Sequence[Path] = (),
    heard: Callable[[tuple[WordCount, ...]], None] | None = None,
) -> CalibrationVersion:
    """Calibrates the detector in use on the labelled pictures of `what` (see `labelled_set`) and stores the result,
    which searches then use. `heard` hears what words for labels were understood as, by `words` and the table.
    `roots` are further folders that paths in a manifest may lead into.

    Raises:
        UsageError: the detector is not trained, or the pictures cannot support what the options promise.
        NotFoundError, SourceError: as `labelled_set`.
    """
    workspace.catalog.require_writable()
    check_trained(workspace.resolved.spec)
    tell = progress or no_progress
    labelled = labelled_set(workspace, what, words=words, roots=roots, progress=tell)
    if heard is not None:
        heard(labelled.label_words)
    measured = calibrate(
        material_of(labelled, workspace.resolved), options or CalibrationOptions(), datetime.now(UTC), tell
    )
    with workspace.catalog.writing() as session:
        return calibrations.add(session, measured)


def material_of(labelled: LabelledSet, resolved: ResolvedDetector) -> Material:
    """The part of a labelled set that a calibration uses."""
    head = resolved.spec.head
    return Material(
        data_set=labelled.name,
        detector=resolved.spec.name,
        fingerprint=labelled.fingerprint,
        head=ScoreHead(head.kind, head.fake_index),
        fake=labelled.fake,
        logits=labelled.logits,
        embeddings=labelled.embeddings,
        groups=labelled.groups,
        generators=labelled.generators,
    )


def check_trained(spec: DetectorSpec) -> None:
    """Raises UsageError for a detector whose scores mean nothing."""
    if not spec.trained:
        raise UsageError(
            f"{spec.name} is not trained: there is nothing to calibrate; choose a trained detector with --detector"
        )
