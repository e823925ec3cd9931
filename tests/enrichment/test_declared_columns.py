"""What a picture's file says of its origin stands beside its row: the file's own words, each with its worth."""

import json
from pathlib import Path
from typing import Any

from indexer.catalog.records.provenance import ProvenanceFinding
from indexer.enrichment.inputs.inputs import open_input
from indexer.enrichment.provenance_columns import declared_cells
from indexer.enrichment.run import Enrichment
from indexer.imaging.limits import ImageLimits
from indexer.vocabulary import EvidenceKind, ProvenanceKind, Technique
from indexer.workspace import Workspace
from tests.enrichment.enriched_tables import as_json_lines
from tests.made_pictures import generated_png, png

SELF_DECLARED, CRYPTOGRAPHIC = EvidenceKind.SELF_DECLARED, EvidenceKind.CRYPTOGRAPHIC


def finding(kind: ProvenanceKind, worth: EvidenceKind = SELF_DECLARED, **said: Any) -> ProvenanceFinding:
    return ProvenanceFinding(kind=kind, worth=worth, statement="said", **said)


SIGNED = finding(
    ProvenanceKind.CONTENT_CREDENTIALS,
    CRYPTOGRAPHIC,
    made_with="Camera X",
    digital_source_type="digitalCapture",
    fields={"credentials": {"validation_state": "trusted", "signer": "a desk"}},
)
GENERATED = finding(
    ProvenanceKind.GENERATION,
    made_with="ComfyUI",
    model_hash="6ce0161689",
    technique=Technique.INPAINTING,
    fields={"generation": {"model": "v1-5", "techniques": ["inpainting", "fine_tuned_model"]}},
)
DECLARED = finding(ProvenanceKind.DECLARATION, made_with="Firefly", digital_source_type="trainedAlgorithmicMedia")
UNREADABLE = finding(ProvenanceKind.UNREADABLE, CRYPTOGRAPHIC)


def test_each_column_is_filled_by_the_first_finding_that_speaks_of_it() -> None:
    assert declared_cells([SIGNED, GENERATED, DECLARED]) == (
        "ComfyUI",
        "v1-5",
        "6ce0161689",
        "inpainting;fine_tuned_model",
        "digitalCapture",
        "trusted",
        "a desk",
        "cryptographic",
    )
    assert declared_cells([DECLARED, GENERATED])[0] == "Firefly"
    assert declared_cells([GENERATED])[-1] == "self_declared"


def test_a_file_that_says_nothing_or_cannot_be_read_fills_nothing() -> None:
    assert set(declared_cells([])) == set(declared_cells([UNREADABLE])) == {None}


def test_rows_get_what_their_pictures_say_and_the_outcome_does_not_change(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "told.png").write_bytes(generated_png(70))
    (tmp_path / "silent.png").write_bytes(png(70))
    source = as_json_lines(tmp_path, [{"path": "told.png"}, {"path": "silent.png"}])
    read = open_input(source, {}, ImageLimits.from_settings(workspace.settings))
    lines = Enrichment(workspace, read, tmp_path / "out.jsonl").run().output.read_text(encoding="utf-8").splitlines()
    told, silent = map(json.loads, lines)
    assert told["dejafake_generator_declared"] == "AUTOMATIC1111"
    assert told["dejafake_technique_declared"] == "inpainting"
    assert told["dejafake_provenance_worth"] == "self_declared"
    assert told["dejafake_outcome"] == silent["dejafake_outcome"] == "no_match_found"
    assert silent["dejafake_provenance_worth"] is None
