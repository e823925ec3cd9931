"""From labels to a head that searches show, on the command line and in the library's answers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.cli.app import run
from indexer.heads import HeadStore
from indexer.heads.store import WEIGHTS
from indexer.search.answers import SearchOptions
from indexer.settings import Settings
from indexer.vocabulary import Direction, EvidenceKind
from indexer.workspace import Workspace
from tests.made_pictures import encoded, png, scene

Dejafake = Callable[..., tuple[int, str, str]]
NEVER_SEEN = 90


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six dark pictures by one generator, six bright ones by another, and six authentic ones, in a collection."""
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("pictures")
    rows = ["path,label,generator,collection"]
    for number in range(18):
        kind = number // 6
        picture = scene(number, (200, 160)).point(lambda value, kind=kind: value // 3 + 80 * kind)
        (folder / f"{number}.png").write_bytes(encoded(picture))
        rows.append(f"{number}.png,{('fake', 'fake', 'real')[kind]},{('<b>dusk</b>', 'dawn', '')[kind]},desk")
    (folder / "cases.csv").write_text("\n".join(rows), encoding="utf-8")
    code = run(["--home", str(home), "ingest", str(folder / "cases.csv")])
    assert code == 0
    return home


@pytest.fixture(scope="module", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEJAFAKE_MODELS_DIR", str(tmp_path_factory.mktemp("heads")))
        patch.setenv("COLUMNS", "300")
        yield


@pytest.fixture
def dejafake(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Dejafake]:
    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["--home", str(home), *(str(argument) for argument in arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    yield call
    settings = Settings.load(home=home)
    with Workspace(settings) as workspace:
        store = HeadStore.of(settings, workspace.resolved.fingerprint)
    for name in store.names():
        store.remove(name)


@pytest.fixture
def trained(dejafake: Dejafake) -> dict[str, Any]:
    code, out, err = dejafake("head", "train", "collection:desk", "--target", "generator", "--json")
    assert code == 0, err
    described: dict[str, Any] = json.loads(out)
    return described


def test_a_trained_head_is_a_further_piece_of_evidence_and_changes_no_outcome(dejafake: Dejafake, home: Path) -> None:
    settings = Settings.load(home=home)
    with Workspace(settings) as workspace:
        before = workspace.searcher.by_bytes(png(NEVER_SEEN))
        assert dejafake("head", "train", "collection:desk", "--target", "generator")[0] == 0
        answer = workspace.searcher.by_bytes(png(NEVER_SEEN))
    assert before.heads == ()
    (finding,) = answer.heads
    assert {one.name for one in finding.scores} == {"<b>dusk</b>", "dawn"}
    assert (finding.n, finding.trained_on) == (12, "collection desk")
    (piece,) = [one for one in answer.verdict.evidence if one.tool == "head generator"]
    assert (piece.kind, piece.direction) == (EvidenceKind.STATISTICAL, Direction.NEUTRAL)
    assert piece.value == finding.scores[0].score
    assert "in cross-validation" in piece.statement
    assert answer.verdict.outcome is before.verdict.outcome
    assert answer.verdict.summary == before.verdict.summary


def test_heads_speak_of_stored_images_and_embeddings_but_not_of_hashes(trained: dict[str, Any], home: Path) -> None:
    with Workspace(Settings.load(home=home)) as workspace:
        answer = workspace.searcher.by_bytes(png(NEVER_SEEN))
        known = workspace.searcher.by_sha256(workspace.find_image(answer.matches[0].image.image.sha256))
        by_hash = workspace.searcher.by_pdq("f" * 64, SearchOptions(limit=1))
        by_vector = workspace.searcher.by_embedding([1.0] * 384)
    assert [len(one.heads) for one in (known, by_vector, by_hash)] == [1, 1, 0]


def test_the_command_shows_what_a_head_was_trained_on_and_how_it_did(
    dejafake: Dejafake, trained: dict[str, Any], tmp_path: Path
) -> None:
    code, out, _ = dejafake("head", "show", "generator")
    assert code == 0
    for words in ("collection desk", "cross-validation", "macro F1", "dawn", "<b>dusk</b>"):
        assert words in out
    assert "generator" in dejafake("head", "list")[1]
    query = tmp_path / "query.png"
    query.write_bytes(png(NEVER_SEEN))
    assert "Your own head generator" in dejafake("search", query)[1]
    assert dejafake("head", "remove", "generator")[0] == 0
    assert "Your own head" not in dejafake("search", query)[1]


def test_a_damaged_head_is_told_and_the_search_goes_on(
    dejafake: Dejafake, trained: dict[str, Any], home: Path, tmp_path: Path
) -> None:
    with Workspace(Settings.load(home=home)) as workspace:
        store = HeadStore.of(workspace.settings, workspace.resolved.fingerprint)
    (store.folder / "generator" / WEIGHTS).write_bytes(b"damaged")
    query = tmp_path / "query.png"
    query.write_bytes(png(NEVER_SEEN))
    code, out, _ = dejafake("search", query, "--json")
    assert (code, json.loads(out)["heads"]) == (0, [])
    assert "is not used" in dejafake("head", "list")[1]
    code, _, err = dejafake("head", "show", "generator")
    assert (code, "Traceback" in err) == (1, False)
    assert "was changed" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("collection:desk", "--target", "technique"), "state the techniques"),
        (("collection:nowhere", "--target", "fake"), "nowhere"),
        (("collection:desk", "--target", "fake", "--name", "../up"), "a-z"),
        (("no-such-file.csv", "--target", "fake"), "no-such-file.csv"),
    ],
)
def test_what_cannot_be_trained_is_one_clear_line(dejafake: Dejafake, arguments: tuple[str, ...], words: str) -> None:
    code, _, err = dejafake("head", "train", *arguments)
    assert code in (1, 2)
    assert words in err
    assert "Traceback" not in err


def test_a_name_that_is_taken_is_refused_before_training(dejafake: Dejafake, trained: dict[str, Any]) -> None:
    code, _, err = dejafake("head", "train", "collection:desk", "--target", "generator")
    assert code == 1
    assert "--replace" in err
    assert dejafake("head", "train", "collection:desk", "--target", "generator", "--replace")[0] == 0
