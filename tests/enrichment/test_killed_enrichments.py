"""An enrichment that is killed at any moment goes on where it was and ends with the bytes of an undisturbed one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.enrichment.inputs.inputs import open_input
from indexer.enrichment.journal import Journal
from indexer.enrichment.run import Enrichment, EnrichmentReport
from indexer.errors import ConflictError
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from indexer.workspace import Workspace
from tests.enrichment.enriched_tables import as_csv, as_parquet
from tests.made_pictures import png

PICTURES = 12


@pytest.fixture
def cases(tmp_path: Path) -> list[dict[str, object]]:
    for number in range(PICTURES):
        (tmp_path / f"{number}.png").write_bytes(png(number)[: None if number % 5 else 300])
    return [{"path": f"{number}.png", "n": number} for number in range(PICTURES)]


def enrichment(workspace: Workspace, source: Path, output: Path, prefix: str = "dejafake_") -> Enrichment:
    return Enrichment(workspace, open_input(source, {}, ImageLimits.from_settings(workspace.settings)), output, prefix)


def kill_when_answered(settings: Settings, source: Path, output: Path, lines: int) -> None:
    """Runs `dejafake enrich` and kills it once its journal has so many lines."""
    environment = {
        **os.environ,
        "DEJAFAKE_BATCH_SIZE": "2",
        "DEJAFAKE_PRECISION": "fp32",
        "DEJAFAKE_SAME_ORIGIN_MIN_COSINE": "1.0",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", "from indexer.cli import main; main()", "--home", str(settings.home)]
    command += ["--detector", settings.detector, "enrich", str(source), "--out", str(output)]
    journal = output.with_name(f"{output.name}.part")
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while not journal.exists() or journal.read_bytes().count(b"\n") < lines:
            if process.poll() is not None:
                raise AssertionError(f"it ended before it could be killed: {process.stderr.read().decode()}")  # type: ignore[union-attr]
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("write", [as_csv, as_parquet])
def test_killed_and_run_again_it_ends_with_the_bytes_of_an_undisturbed_run(
    home: Settings, cases: list[dict[str, object]], tmp_path: Path, write: Callable[..., Path]
) -> None:
    source = write(tmp_path, cases)
    quiet, killed = tmp_path / f"quiet{source.suffix}", tmp_path / f"killed{source.suffix}"
    kill_when_answered(home, source, killed, lines=3)
    assert not killed.exists(), "the output appears whole or not at all"
    with killed.with_name(f"{killed.name}.part").open("ab") as journal:
        journal.write(b'[["row 9", ["known_fake')  # what a kill in the middle of a write leaves
    with Workspace(home) as workspace:
        undisturbed = enrichment(workspace, source, quiet).run()
        again = enrichment(workspace, source, killed)
        assert 0 < again.continued < PICTURES, "killed too late to prove anything"
        report = again.run()
    assert killed.read_bytes() == quiet.read_bytes()
    assert report.outcomes == undisturbed.outcomes
    assert rejected(report) == rejected(undisturbed) != b""
    assert not list(tmp_path.glob("*.part*")), "nothing is left lying about"


def rejected(report: EnrichmentReport) -> bytes:
    assert report.rejected_file is not None
    return report.rejected_file.read_bytes()


def test_what_was_answered_is_not_asked_again(
    workspace: Workspace, cases: list[dict[str, object]], tmp_path: Path
) -> None:
    source, output = as_csv(tmp_path, cases), tmp_path / "out.csv"

    def stop(_rows: int) -> None:
        raise KeyboardInterrupt

    first = enrichment(workspace, source, output)
    with pytest.raises(KeyboardInterrupt):
        first.run(stop)
    answered = [1, 2]
    for number in answered:
        (tmp_path / f"{number}.png").unlink()
    report = enrichment(workspace, source, output).run()
    assert report.continued == 3
    assert report.outcomes["error"] == 3, "rows 0, 5 and 10 alone: 1 and 2 had been answered"


def test_answers_to_something_else_are_not_gone_on_with(
    workspace: Workspace, cases: list[dict[str, object]], tmp_path: Path
) -> None:
    source, output = as_csv(tmp_path, cases), tmp_path / "out.csv"
    begun = enrichment(workspace, source, output)
    with pytest.raises(ConflictError, match="another run is writing"):
        enrichment(workspace, source, output)
    begun._journal.close()
    with pytest.raises(ConflictError, match=r"another prefix.*delete the file to start over"):
        enrichment(workspace, source, output, "other_")
    source.write_bytes(source.read_bytes() + b"0.png,99\n")
    with pytest.raises(ConflictError, match="another input"):
        enrichment(workspace, source, output)


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.csv.part"
    path.write_bytes(b"somebody's own file\n")
    with pytest.raises(ConflictError, match="not dejafake's"):
        Journal(path, {})
    assert path.read_bytes() == b"somebody's own file\n"
