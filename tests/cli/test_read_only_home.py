"""A home that one may read but not write: what only reads works and writes nothing, the rest says so in one line."""

import csv
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from indexer.catalog.database import Catalog
from indexer.catalog.read_only import ReadOnlyFile
from indexer.cli.app import run
from indexer.errors import CatalogError, ReadOnlyError
from tests.made_pictures import png

WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-fowner", "--inh-caps=-dac_override,-fowner"]
PROGRAM = """
import contextlib, io, json, sys, threading, httpx, uvicorn
from pathlib import Path
from indexer.cli.app import run
from indexer.settings import Settings
from search_api.app import create_app
from search_api.server import configuration, listening
told = []
for arguments in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = run(arguments)
    told.append([code, out.getvalue(), err.getvalue()])
settings = Settings.load()
listener = listening("127.0.0.1", 0)
server = uvicorn.Server(configuration(settings, create_app(settings)))
thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
thread.start()
picture = Path("1.png").read_bytes()
with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as client:
    answers = [
        client.post("/v1/search", files={"image": ("a.png", picture)}),
        client.get("/healthz"),
        client.get("/v1/images"),
        client.post("/v1/images", files={"files": ("b.png", picture)}),
        client.post("/v1/collections", json={"name": "x"}),
        client.post("/v1/enrich", files={"files": ("b.png", picture)}),
    ]
server.should_exit = True
thread.join()
json.dump([told, [answer.status_code for answer in answers]], sys.stdout)
"""
READER = """
import sys, json
from indexer.catalog.database import Catalog
from indexer.catalog.images import images
from indexer.catalog.records.filters import ImageFilter
from indexer.errors import DejafakeError
from indexer.settings import Settings
told = {}
for name, home in json.load(sys.stdin).items():
    try:
        with Catalog.open(Settings.load(home=home).catalog_url) as catalog, catalog.reading() as session:
            told[name] = len(images.page(session, ImageFilter(), limit=10, cursor=None).items)
    except DejafakeError as error:
        told[name] = str(error)
json.dump(told, sys.stdout)
"""

pytestmark = pytest.mark.skipif(
    os.name != "posix" or (os.geteuid() == 0 and shutil.which("setpriv") is None), reason="needs modes that count"
)


@dataclass(frozen=True)
class Shelf:
    """A home with pictures in it, which may be read only, and a folder beside it for what is written."""

    home: Path
    beside: Path
    env: dict[str, str]

    def start(self, program: str, given: bytes) -> Any:
        command = [*(WITHOUT_RIGHTS if os.geteuid() == 0 else ()), sys.executable, "-c", program]
        done = subprocess.run(command, input=given, env=self.env, capture_output=True, cwd=self.beside, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def files(self) -> dict[str, tuple[int, int]]:
        return {
            str(path.relative_to(self.home)): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in self.home.rglob("*")
        }


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, untrained_detector: Path) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("shelf")
    home, beside = folder / "home", folder / "beside"
    beside.mkdir()
    for seed in range(1, 4):
        (beside / f"{seed}.png").write_bytes(png(seed))
    (beside / "list.csv").write_text("id,path\n1,1.png\n")
    given = ["--home", str(home), "--detector", str(untrained_detector)]
    assert run([*given, "ingest", *(str(beside / f"{seed}.png") for seed in (1, 2)), "--label", "fake"]) == 0
    assert run([*given, "cluster"]) == 0
    mode("a-w,a+rX", home)
    env = {**os.environ, "DEJAFAKE_HOME": str(home), "DEJAFAKE_DETECTOR": str(untrained_detector)}
    yield Shelf(home, beside, {**env, "DEJAFAKE_RUNTIME": "eager"})
    mode("u+w", home)


READING = [
    ["search", "1.png", "--json"],
    ["show", hashlib.sha256(png(1)).hexdigest()],
    ["compare", "1.png", "2.png"],
    ["campaigns"],
    ["novelties"],
    ["export", "--format", "csv"],
    ["export", "--format", "jsonl"],
    ["hashes", "export"],
    ["hashes", "list"],
    ["index", "status"],
    ["watch", "list"],
    ["enrich", "list.csv", "--out", "enriched.csv"],
    ["report", "--folder", "reports"],
    ["doctor"],
]
WRITING = [
    ["ingest", "3.png"],
    ["cluster"],
    ["label", hashlib.sha256(png(1)).hexdigest(), "--as", "fake", "--by", "me"],
    ["index", "build"],
    ["watch", "add", "a watch", "--label", "fake"],
    ["hashes", "rebuild"],
    ["regions", "prepare"],
    ["reindex"],
]


@dataclass(frozen=True)
class Told:
    """What one process that may not write was told: by each command, and by a server's routes."""

    commands: list[tuple[int, str, str]]
    statuses: list[int]
    unchanged: bool


@pytest.fixture(scope="module")
def told(shelf: Shelf) -> Told:
    before = shelf.files()
    commands, statuses = shelf.start(PROGRAM, json.dumps([*READING, *WRITING]).encode())
    return Told([tuple(one) for one in commands], statuses, shelf.files() == before)


def test_nothing_of_the_home_is_written(told: Told) -> None:
    assert told.unchanged


def test_what_only_reads_works(shelf: Shelf, told: Told) -> None:
    for arguments, (code, out, err) in zip(READING, told.commands, strict=False):
        assert code == 0, (arguments, out, err)
        assert "Traceback" not in err
        if arguments[0] == "search":
            assert json.loads(out)["verdict"]["outcome"] == "known_fake_match"
    assert len(list(csv.reader((shelf.beside / "enriched.csv").read_text("utf-8").splitlines()))) == 2


def test_what_writes_says_in_one_line_that_it_cannot(told: Told) -> None:
    for arguments, (code, out, err) in zip(WRITING, told.commands[len(READING) :], strict=True):
        assert code in (1, 2), (arguments, out, err)
        assert "cannot be written" in err, (arguments, err)
        assert err.count("dejafake:") == 1
        assert "Traceback" not in err


def test_a_server_answers_searches_and_refuses_what_would_write(told: Told) -> None:
    assert told.statuses == [200, 200, 200, 403, 403, 403]


@pytest.fixture(scope="module")
def read(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a user who may not write reads of each of these homes; two of them are in use meanwhile."""
    folder = tmp_path_factory.mktemp("homes")
    homes = {name: copied(shelf, folder / name) for name in ("in use", "without its log", "older")}
    with (
        closing(sqlite3.connect(homes["in use"] / "catalogue.sqlite")) as writer,
        closing(sqlite3.connect(homes["without its log"] / "catalogue.sqlite")) as other,
    ):
        for one in (writer, other):
            one.execute("PRAGMA wal_autocheckpoint=0")
            one.execute("DELETE FROM embedding")
            one.execute("DELETE FROM image WHERE id = 1")
            one.commit()
        for ending in ("", "-wal"):
            shutil.copy(homes["without its log"] / f"catalogue.sqlite{ending}", folder / f"kept{ending}")
        other.close()
        for ending in ("", "-wal"):
            shutil.copy(folder / f"kept{ending}", homes["without its log"] / f"catalogue.sqlite{ending}")
        with closing(sqlite3.connect(homes["older"] / "catalogue.sqlite")) as older:
            older.execute("UPDATE dejafake_schema SET version_num = '0001'")
            older.commit()
        homes["empty"] = folder / "empty"
        homes["empty"].mkdir()
        mode("a-w", folder)
        told: dict[str, object] = shelf.start(
            READER, json.dumps({name: str(home) for name, home in homes.items()}).encode()
        )
        mode("u+w", folder)
    return told


def test_a_catalogue_in_use_by_who_may_write_is_read_with_its_log(read: dict[str, object]) -> None:
    assert read["in use"] == 1


def test_a_log_that_cannot_be_read_is_never_left_out_in_silence(read: dict[str, object]) -> None:
    assert "who may write" in str(read["without its log"])


def test_an_older_catalogue_says_that_it_must_be_upgraded_by_who_may_write(read: dict[str, object]) -> None:
    assert "must be upgraded" in str(read["older"])


def test_a_folder_without_a_catalogue_that_cannot_be_written_is_one_line(read: dict[str, object]) -> None:
    assert "there is no catalogue" in str(read["empty"])


def test_a_file_that_changes_while_it_is_read_without_a_log_is_noticed(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = copied(shelf, tmp_path / "copy") / "catalogue.sqlite"
    monkeypatch.setattr(ReadOnlyFile, "of", ReadOnlyFile)
    with Catalog.open(f"sqlite:///{file}") as catalog:
        with pytest.raises(ReadOnlyError), catalog.writing():
            pass
        with pytest.raises(CatalogError, match="changed while it was read"), catalog.reading():
            os.utime(file, ns=(1, 1))
        with catalog.reading():
            pass


def copied(shelf: Shelf, to: Path) -> Path:
    shutil.copytree(shelf.home, to)
    mode("u+w", to)
    return to


def mode(change: str, folder: Path) -> None:
    subprocess.run(["chmod", "-R", change, str(folder)], check=True)
