"""Hash lists in the forms that other tools and exchanges write: what is a hash is read, and the rest named by line."""

import io
import json

import pytest

from indexer.errors import SourceError
from indexer.exchange import hash_reading
from indexer.exchange.hash_notation import ReadHash
from indexer.exchange.hash_reading import Problem, read_hashes
from indexer.vocabulary import HashAlgorithm

PDQ, SHA256 = HashAlgorithm.PDQ, HashAlgorithm.SHA256
A, B, C = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22", "5a" * 32, "c3" * 32


def read(text: str | bytes, bare: HashAlgorithm | None = PDQ) -> tuple[list[tuple[str, str, int | None]], list[str]]:
    """What was read, as (algorithm, hex, quality), and the problems."""
    data = text.encode() if isinstance(text, str) else text
    said = list(read_hashes(io.BytesIO(data), bare))
    found = [(one.algorithm.value, one.value.hex(), one.quality) for one in said if isinstance(one, ReadHash)]
    return found, [one.message for one in said if isinstance(one, Problem)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{A},100,pictures/a.jpg", (A, 100)),
        (f"{A},100", (A, 100)),
        (f'"{A}"', (A, None)),
        (f'"{A}","90","a, b.jpg"', (A, 90)),
        (f"'{A}'", (A, None)),
        (f"{A}\t73\ta b.jpg", (A, 73)),
        (f"{A};88;bild.jpg", (A, 88)),
        (f"{A} , 100 , x", (A, 100)),
        (A.upper(), (A, None)),
        (f"0x{A}", (A, None)),
        (f"pdq {A}", (A, None)),
        (f"pdq,{A},60", (A, 60)),
        (f"{A},pdq,60", (A, 60)),
        (f"PDQ: {A}", (A, None)),
        (f"hash={A},norm=127,delta=0,quality=100,filename=a.jpg", (A, 100)),
        (f"a.jpg,{A},100", (A, 100)),
        (f"pictures/a b.jpg,{A},0", (A, 0)),
        ("ab" + A[4:], ("00ab" + A[4:], None)),
        (f"{A} {'x' * 300}", (A, None)),
    ],
)
def test_a_line_of_a_pdq_list_is_read_with_its_quality(line: str, expected: tuple[str, int | None]) -> None:
    assert read(line) == ([("pdq", *expected)], [])


@pytest.mark.parametrize(
    "line",
    [
        f"{A}  flood =1+1.jpg",
        f"{A} *x",
        f"\\{A}  a\\nb.jpg",
        f"{A}  {A}",
        f"{A}  90",
        f"{A}  a,b.jpg",
        f"SHA256 (a (1).jpg) = {A}",
        f"sha256:{A}",
        f"SHA-256 {A}",
        f"sha256,{A}",
    ],
)
def test_what_sha256sum_prints_is_read(line: str) -> None:
    assert read(line, SHA256) == ([("sha256", A, None)], [])


@pytest.mark.parametrize(
    "header", ["hash,quality", "Hash,Quality", '"hash","quality"', "pdq_hash,quality", "PDQ;Quality", "pdq\tquality"]
)
def test_a_header_is_no_hash_and_names_the_columns(header: str) -> None:
    mark = next(mark for mark in ";\t," if mark in header)
    assert read(f"{header}\n{A}{mark}100\n{B}{mark}0\n") == ([("pdq", A, 100), ("pdq", B, 0)], [])


@pytest.mark.parametrize("header", ["hash", "pdq", "value"])
def test_a_header_of_one_column_is_no_malformed_line(header: str) -> None:
    assert read(f"{header}\n{A}\n") == ([("pdq", A, None)], [])


def test_columns_are_found_by_name_wherever_they_stand() -> None:
    table = f"id,quality,md5,sha256,pdq\n7,81,{'0' * 32},{B},{A}\n8,99,,{C},\n9,99,{'0' * 32},,\n"
    found, problems = read(table, None)
    assert found == [("sha256", B, None), ("pdq", A, 81), ("sha256", C, None)]
    assert problems == ["line 4: md5 is not compared here, only PDQ and SHA-256 are"]


def test_a_column_that_names_the_kind_is_believed() -> None:
    table = f"signal_type,hash\npdq,{A}\nHASH_SHA256,{B}\nvideo_md5,{'0' * 32}\n"
    found, problems = read(table, None)
    assert found == [("pdq", A, None), ("sha256", B, None)]
    assert problems == ["line 4: videomd5 is not compared here, only PDQ and SHA-256 are"]


def test_bare_hashes_of_which_nobody_says_the_kind_are_named_not_guessed() -> None:
    found, problems = read(f"hash,quality\n{A},100\n", None)
    assert found == []
    assert "could be PDQ or SHA-256" in problems[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_and_encodings_of_every_system_are_read(end: str, encoding: str) -> None:
    lines = ["# list", "hash,quality", f"{A},100", "", f"; {B}", f"// {B}", f"{C},70", "nonsense", ""]
    found, problems = read(end.join(lines).encode(encoding))
    assert found == [("pdq", A, 100), ("pdq", C, 70)]
    assert problems == ["line 8: not a hash of 64 hexadecimal digits: nonsense"]


def test_lines_that_are_not_understood_cost_only_themselves() -> None:
    bad = [A[:59], A + "0", "md5 " + "0" * 32, "0" + A[1:63], f'"{A[:10]}', "\x00\xff", f"{A},{B},{C}", "g" * 64]
    found, problems = read("\n".join([A, *bad, B]))
    assert [value for _, value, _ in found] == [A, B]
    assert [problem.partition(":")[0] for problem in problems] == [f"line {n}" for n in range(2, 2 + len(bad))]


def test_a_quality_that_is_no_number_is_a_problem_of_its_line() -> None:
    found, problems = read(f"hash,quality\n{A},good\n{B},101\n{C},100.0\n")
    assert found == [("pdq", C, 100)]
    assert all("its quality is not a number from 0 to 100" in problem for problem in problems)


def test_only_pdq_gets_its_zeros_back() -> None:
    assert read("ab" + A[4:], SHA256)[0] == []
    assert read(f"pdq {'ab' + A[4:]}", None)[0] == [("pdq", "00ab" + A[4:], None)]


@pytest.mark.parametrize(
    "document",
    [
        [{"hash_value": A, "type": "pdq", "quality": 99}],
        {"data": [{"indicator": A, "type": "HASH_PDQ", "quality": 99, "tags": ["cat"]}], "paging": {"next": "x"}},
        [{"signal_type": "pdq", "signal_value": A, "pdq_quality": 99}],
        {"hashRecords": [{"hashValue": A, "signalType": "ImagePDQ", "quality": 99}]},
        [{"id": 1, "member": {"id": "x"}, "fingerprints": {"pdq": A, "md5": "0" * 32, "quality": 99}}],
        {"hash": {"algorithm": "PDQ", "hash": A, "quality": 99.0}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_json_of_the_exchanges_is_read(document: object, indent: int | None) -> None:
    assert read(json.dumps(document, indent=indent), None) == ([("pdq", A, 99)], [])


def test_json_lists_of_bare_hashes_and_json_lines_are_read() -> None:
    assert read(json.dumps([A, B])) == ([("pdq", A, None), ("pdq", B, None)], [])
    assert read(json.dumps({"sha256": [A], "pdq": [B], "notes": ["none"]}), None)[0] == [
        ("sha256", A, None),
        ("pdq", B, None),
    ]
    lines = [{"hash_value": A, "type": "pdq"}, {"hash_value": "x", "type": "pdq"}, {"other": 1}]
    text = "\n".join([*map(json.dumps, lines), "{broken", json.dumps({"sha256": B, "md5": "0" * 32})])
    found, problems = read(text, None)
    assert found == [("pdq", A, None), ("sha256", B, None)]
    assert [problem.partition(":")[0] for problem in problems] == ["line 2", "line 3", "line 4"]


def test_entries_of_json_that_were_taken_back_or_are_of_other_kinds_are_named() -> None:
    entries = [
        {"indicator": A, "type": "HASH_PDQ", "should_delete": True},
        {"indicator": "0" * 32, "type": "HASH_MD5"},
        {"indicator": B, "type": "HASH_PDQ"},
    ]
    found, problems = read(json.dumps(entries), None)
    assert found == [("pdq", B, None)]
    assert problems == [
        "entry 1: its keeper took it back",
        "entry 2: hashmd5 is not compared here, only PDQ and SHA-256 are",
    ]


def test_hostile_json_ends_in_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("[" * 100_000, "[" * 50 + "]" * 50, "{", "[]", "{}", '{"a":' * 30 + "1" + "}" * 30):
        found, problems = read(text)
        assert found == []
        assert len(problems) == 1
    monkeypatch.setattr(hash_reading, "MAX_DOCUMENT", 1_000)
    with pytest.raises(SourceError, match="JSON Lines"):
        read("[\n" + "\n".join([json.dumps(A) + ","] * 100))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_list_in_utf_16_is_read_with_a_mark_and_without(encoding: str) -> None:
    text = f"hash\tname\r\n{'f8' * 32}\ta\r\n"
    (one,) = read_hashes(io.BytesIO(text.encode(encoding)), HashAlgorithm.PDQ)
    assert isinstance(one, ReadHash)
    assert one.value.hex() == "f8" * 32 if isinstance(one.value, bytes) else one.value == "f8" * 32


@pytest.mark.parametrize(
    "data",
    [
        *(b"PK\x03\x04" + bytes(200), b"%PDF-1.7\n1 0 obj\n", b"\x00\x00\x00\x18ftypmp42" + bytes(40)),
        *(b"SQLite format 3\x00", b"\x1f\x8b\x08" + bytes(20), b"{\\rtf1", b"\xff\xd8\xff\xe0" + bytes(20)),
        *(b"\x89PNG\r\n\x1a\n" + bytes(20), b"\xd0\xcf\x11\xe0\xa1" + bytes(20)),
    ],
)
def test_a_file_of_another_kind_is_refused_in_words_and_not_line_by_line(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"no list of hashes .*save the hashes as text"):
        list(read_hashes(io.BytesIO(data), HashAlgorithm.PDQ))
