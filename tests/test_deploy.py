"""The container files are sound as far as can be told without a container engine, and the docs site builds."""

import re
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from indexer.settings import Settings

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def test_the_dockerfile_passes_hadolint() -> None:
    hadolint = which("hadolint", path=str(BIN)) or which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: its package has no binary for this machine")
    done = subprocess.run([hadolint, str(ROOT / "deploy" / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_compose_file_is_one() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(ROOT / "deploy" / "compose.yaml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_settings_of_the_compose_file_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    given = dict(re.findall(r"^ +DEJAFAKE_([A-Z_]+): (.+)$", text, re.MULTILINE))
    assert {name.lower() for name in given} <= set(Settings.model_fields)
    for name, value in given.items():
        monkeypatch.setenv(f"DEJAFAKE_{name}", re.sub(r"\$\{\w+:(?:-([^}]*)|\?[^}]*)\}", r"\1", value) or "a" * 64)
    settings = Settings.load(home=tmp_path)
    assert settings.allowed_hosts == ("localhost", "127.0.0.1")
    assert settings.database_url is not None
    assert settings.api_token is not None


def test_the_docs_site_builds_without_a_warning_and_with_search(tmp_path: Path) -> None:
    options = ["-q", "-W", "--keep-going", "-d", str(tmp_path / "doctrees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(tmp_path / "site")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "known deepfakes" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert (tmp_path / "site" / "searchindex.js").stat().st_size > 10_000
