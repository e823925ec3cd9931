"""A table in which one picture comes again and again: it is decoded and asked about once a group, not once a row."""

from collections import Counter
from pathlib import Path

import pytest

from indexer.enrichment import Asker
from indexer.enrichment.inputs.inputs import open_input
from indexer.imaging.decoding import sha256_hex
from indexer.imaging.limits import ImageLimits
from indexer.workspace import Workspace
from tests.enrichment.enriched_tables import as_json_lines
from tests.made_pictures import png


def test_it_is_prepared_once_and_every_row_gets_its_own_answer(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()
    searcher = workspace.searcher
    for name in ("prepare", "by_pictures", "by_hashes"):
        inner = getattr(searcher, name)

        def counted(*given: object, name: str = name, inner: object = inner) -> object:
            calls[name] += 1
            return inner(*given)  # type: ignore[operator]

        monkeypatch.setattr(searcher, name, counted)
    (tmp_path / "same.png").write_bytes(png(0))
    (tmp_path / "copy.png").write_bytes(png(0))
    known = {"path": None, "sha256": sha256_hex(png(1))}
    rows = [{"path": name, "sha256": None} for name in ("same.png", "copy.png") * 20] + [known] * 20
    rows[7] = {"path": "same.png", "sha256": sha256_hex(png(1))}
    source = open_input(as_json_lines(tmp_path, rows), {}, ImageLimits.from_settings(workspace.settings))
    asker = Asker(searcher, workspace.settings.model_copy(update={"decode_workers": 1}))
    (group,) = asker.groups(source.queries())
    assert calls == {"prepare": 1, "by_pictures": 1, "by_hashes": 1}
    assert [row.location for row in group] == [f"row {number}" for number in range(1, 61)]
    assert {row.outcome for row in group} == {"known_fake_match", "error"}
    assert [row.reason for row in group if row.reason] == ["sha256_mismatch"]
