"""Hash lists in and out: every sound line is taken once, every other is named by number; lists go as a whole."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.catalog import Catalog, hash_lists
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import NewImage
from indexer.cli.app import run
from indexer.errors import ConflictError, NotFoundError, UsageError
from indexer.exchange.hash_lists import MOST_PROBLEMS, export_hashes, import_hashes
from indexer.exchange.hash_reading import MAX_LINE
from indexer.vocabulary import HashAlgorithm, LabelValue
from tests.exchange.filled_catalogue import add_image, digest, pdq

PDQ, SHA256 = HashAlgorithm.PDQ, HashAlgorithm.SHA256


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    with Catalog.open(database_url) as opened:
        yield opened


def imported(catalog: Catalog, text: str | bytes, source: str = "Exchange", **options: object):
    data = text.encode() if isinstance(text, str) else text
    return import_hashes(catalog, io.BytesIO(data), source, **{"min_quality": 50, **options})  # type: ignore[arg-type]


def held(catalog: Catalog) -> list[tuple[str, str, str]]:
    with catalog.reading() as session:
        entries = hash_lists.by_id(session, range(1, 1_000)).values()
    return sorted((one.source, one.algorithm.value, one.value) for one in entries)


def test_lines_of_every_kind_are_read_and_the_rest_is_named_by_number(catalog: Catalog) -> None:
    one, two, three = pdq(1).hex(), pdq(2).hex(), digest(3)
    text = (
        f"\ufeff# a comment\r\npdq {one}\r\n\n  PDQ\t{two.upper()} 90\n; another\nsha256:{three}\n//\nSHA-256 {one}\n"
    )
    text += f"pdq {one[5:]}\npdq {one}0\n{two}\nmd5 {one}\n\x00\xff\npdq {one}\n"
    done = imported(catalog, text)
    assert (done.added, done.known, done.malformed) == (4, 1, 5)
    assert [problem.partition(":")[0] for problem in done.problems] == [f"line {n}" for n in (9, 10, 11, 12, 13)]
    assert "could be PDQ or SHA-256: say which is the algorithm" in done.problems[2]
    assert held(catalog) == sorted(
        [
            ("Exchange", "pdq", one),
            ("Exchange", "pdq", two),
            ("Exchange", "sha256", three),
            ("Exchange", "sha256", one),
        ]
    )


def test_bare_hashes_are_what_the_caller_says_and_names_after_them_are_not_read(catalog: Catalog) -> None:
    done = imported(catalog, f"{digest(1)}\n{digest(2)}  flood =1+1.jpg\n{digest(3)} *x\n", algorithm=SHA256)
    assert (done.added, done.malformed) == (3, 0)
    assert {kind for _, kind, _ in held(catalog)} == {"sha256"}


def test_a_line_without_end_is_one_malformed_line_and_costs_no_memory(catalog: Catalog) -> None:
    done = imported(catalog, b"a" * (3 * MAX_LINE) + b"\n" + b"pdq " + pdq(1).hex().encode())
    assert (done.added, done.malformed) == (1, 1)
    assert len(done.problems[0]) < 200


def test_only_the_first_problems_are_described_but_all_are_counted(catalog: Catalog) -> None:
    done = imported(catalog, "x\n" * 100)
    assert (done.malformed, len(done.problems)) == (100, MOST_PROBLEMS)


def test_importing_again_adds_only_what_is_new(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.exchange.hash_lists._AT_ONCE", 2)
    lines = [f"pdq {pdq(number).hex()}\n" for number in range(5)]
    assert imported(catalog, "".join(lines[:3])).added == 3
    again = imported(catalog, "".join(lines))
    assert (again.added, again.known) == (2, 3)
    with catalog.reading() as session:
        (one,) = hash_lists.all_lists(session)
    assert (one.name, one.label, one.hashes) == ("Exchange", LabelValue.FAKE, 5)


def test_hashes_of_too_low_a_quality_are_left_out_and_counted(catalog: Catalog) -> None:
    done = imported(
        catalog,
        f"hash,quality\n{pdq(1).hex()},0\n{pdq(2).hex()},49\n{pdq(3).hex()},50\n{pdq(4).hex()},\n",
        algorithm=PDQ,
    )
    assert (done.added, done.known, done.left_out, done.malformed) == (2, 0, 2, 0)
    assert done.problems[0] == "line 2: left out, its quality 0 is below 50"
    assert {value for _, _, value in held(catalog)} == {pdq(3).hex(), pdq(4).hex()}


def test_two_lists_may_hold_the_same_hash_and_each_goes_with_its_own(catalog: Catalog) -> None:
    for source in ("A", "B"):
        imported(catalog, f"pdq {pdq(1).hex()}\nsha256 {digest(1)}\n", source)
    with catalog.writing() as session:
        assert hash_lists.delete(session, "A") == 2
    assert {source for source, _, _ in held(catalog)} == {"B"}
    with catalog.writing() as session, pytest.raises(NotFoundError, match="no hash list named 'A'"):
        hash_lists.delete(session, "A")


def test_a_list_says_one_thing_of_its_images_and_has_a_name(catalog: Catalog) -> None:
    imported(catalog, f"pdq {pdq(1).hex()}")
    with pytest.raises(ConflictError, match="is of fake images, not of authentic ones"):
        imported(catalog, f"pdq {pdq(2).hex()}", label=LabelValue.AUTHENTIC)
    with pytest.raises(UsageError, match="needs a name"):
        imported(catalog, f"pdq {pdq(1).hex()}", " ")
    with catalog.writing() as session, pytest.raises(UsageError, match="32 bytes"):
        hash_lists.add(session, "Exchange", LabelValue.FAKE, [(PDQ, b"short")])


def exported(catalog: Catalog, algorithm: HashAlgorithm, wanted: ImageFilter | None = None) -> list[str]:
    stream = io.StringIO(newline="")
    fakes = wanted or ImageFilter(label=LabelValue.FAKE)
    assert export_hashes(catalog, fakes, algorithm, stream, min_quality=50) == stream.getvalue().count("\n")
    return stream.getvalue().splitlines()


def test_an_export_holds_each_hash_of_the_images_asked_for_once_sorted(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.exchange.hash_lists._AT_ONCE", 2)
    with catalog.writing() as session:
        for number in (1, 2, 3):
            add_image(session, number)
        add_image(session, 4, said=LabelValue.AUTHENTIC)
        flat = NewImage(digest(5), 9, "PNG", 4, 3, "RGB", 1, (), bytes(32), 49, "reference")
        again = NewImage(digest(6), 9, "PNG", 4, 3, "RGB", 1, (), pdq(1), 90, "reference")
        for new in (flat, again):
            images.add(session, new)
    imported(catalog, f"pdq {pdq(9).hex()}")
    assert exported(catalog, PDQ) == sorted(f"pdq {pdq(number).hex()}" for number in (1, 2, 3))
    assert exported(catalog, SHA256) == sorted(digest(number) for number in (1, 2, 3))
    everything = exported(catalog, PDQ, ImageFilter())
    assert everything == sorted({f"pdq {pdq(number).hex()}" for number in (1, 2, 3, 4)}), "without the flat picture"


def test_the_command_imports_lists_exports_and_removes(
    tmp_path: Path, untrained_detector: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEJAFAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEJAFAKE_DETECTOR", str(untrained_detector))
    file = tmp_path / "list.pdq"
    file.write_text(f"pdq {pdq(1).hex()}\nnonsense\n")
    assert run(["hashes", "import", str(file), "--source", "Exchange"]) == 0
    said = capsys.readouterr().out
    assert "1 added, 0 known already, 1 malformed" in said
    assert "line 2" in said
    assert run(["hashes", "list"]) == 0
    assert "Exchange" in capsys.readouterr().out
    assert run(["hashes", "export"]) == 0
    assert capsys.readouterr().out == "", "other people's hashes are not ours to share"
    assert run(["hashes", "remove", "Exchange"]) == 0
    assert run(["hashes", "remove", "Exchange"]) == 1
    file.write_text("nonsense\n")
    assert run(["hashes", "import", str(file), "--source", "Exchange"]) == 1
    assert run(["hashes", "import", str(tmp_path / "missing"), "--source", "Exchange"]) == 1
    assert "cannot read" in capsys.readouterr().err
