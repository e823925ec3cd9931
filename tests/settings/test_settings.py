"""Settings: every spelling of a list, one line for every wrong value, and paths that are any path."""

import logging
import os
import pickle
from pathlib import Path
from typing import get_origin

import pytest
from sqlalchemy import make_url

from indexer.errors import DejafakeError, UsageError
from indexer.settings import Settings

LISTS = [name for name, field in Settings.model_fields.items() if get_origin(field.annotation) in (tuple, list)]


def test_there_are_lists_among_the_settings() -> None:
    assert {"allowed_hosts", "callback_hosts"} <= set(LISTS)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("fakes.example.org", ("fakes.example.org",)),
        ("fakes.example.org, 127.0.0.1,", ("fakes.example.org", "127.0.0.1")),
        ('["fakes.example.org", "localhost"]', ("fakes.example.org", "localhost")),
        ("[::1]", ("[::1]",)),
        ("[::1],localhost", ("[::1]", "localhost")),
    ],
)
def test_a_list_is_a_name_a_comma_list_or_json(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, expected: tuple[str, ...]
) -> None:
    monkeypatch.setenv(f"DEJAFAKE_{name.upper()}", given)
    assert getattr(Settings.load(), name) == expected
    assert getattr(Settings.load(**{name: given}), name) == expected


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("given", ['["a"', "[1, 2]", '{"a": 1}', '["a", ["b"]]', "a b", "a\nb"])
def test_a_list_that_is_none_is_one_line_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str
) -> None:
    monkeypatch.setenv(f"DEJAFAKE_{name.upper()}", given)
    with pytest.raises(UsageError, match=rf"DEJAFAKE_{name.upper()}\b") as caught:
        Settings.load()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_wrong_setting_is_one_line_with_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wrong = {"home": "a\0b", "models_dir": "a\0b", "c2pa_trust_anchors": "a\0b"}.get(name, object())
    with pytest.raises(UsageError, match=rf"DEJAFAKE_{name.upper()}\b") as caught:
        Settings.load(**{name: wrong})
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError):
        Settings(**{name: wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("variable", "given"),
    [("PORT", "eighty"), ("PORT", "70000"), ("OFFLINE", "perhaps"), ("DEVICE", "tpu"), ("SEARCH_RECALL", "nan")],
)
def test_a_wrong_variable_is_named_beside_its_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, given: str
) -> None:
    monkeypatch.setenv(f"DEJAFAKE_{variable}", given)
    with pytest.raises(UsageError, match=rf"DEJAFAKE_{variable}\b") as caught:
        Settings.load()
    assert "\n" not in str(caught.value)


def test_a_wrong_secret_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEJAFAKE_API_TOKEN", "half\x07hidden")
    with pytest.raises(UsageError, match="DEJAFAKE_API_TOKEN") as caught:
        Settings.load()
    assert "hidden" not in str(caught.value)


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"DEJAFAKE_{name.upper()}", "")
    assert Settings.load(home="/h") == Settings(home=Path("/h"))
    assert Settings.load().api_token is None  # an empty one would let everybody in


def test_an_empty_token_is_refused() -> None:
    with pytest.raises(UsageError, match="DEJAFAKE_API_TOKEN"):
        Settings.load(api_token=" ")


def test_an_unknown_variable_is_told_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DEJAFAKE_ALOWED_HOST", "x")
    monkeypatch.setenv("DEJAFAKE_QQQQ", "x")
    monkeypatch.setenv("dejafake_port", "8001")
    with caplog.at_level(logging.WARNING):
        Settings.load()
        Settings.load()
    told = [record.getMessage() for record in caplog.records if "DEJAFAKE_" in record.getMessage().upper()]
    assert len(told) == 2  # once a process
    assert any("DEJAFAKE_ALOWED_HOST" in line and "DEJAFAKE_ALLOWED_HOSTS" in line for line in told)
    assert any("DEJAFAKE_QQQQ" in line for line in told)


@pytest.mark.parametrize(
    "given",
    ["https://a.example", "a.example:8000", "a.example/x", "*", "*.a.example", "[::1].a.example", "me@a.example", ","],
)
def test_allowed_hosts_that_no_request_could_name_are_refused(given: str) -> None:
    with pytest.raises(UsageError, match="DEJAFAKE_ALLOWED_HOSTS"):
        Settings.load(allowed_hosts=given)


def test_allowed_hosts_are_compared_as_requests_name_them() -> None:
    given = Settings.load(allowed_hosts="Fakes.Example.org,::1,[0:0::1],bücher.example")
    assert given.allowed_hosts == ("fakes.example.org", "[::1]", "[::1]", "xn--bcher-kva.example")


LEGAL = [
    "a b",
    "ünï-日本",
    "a?b",
    "a%3Fb",
    "100%",
    "a#b",
    "a\nb",
    "a?mode=ro",
    "%",
    "a'\"b",
    "a;b",
    "file:x",
    ":memory:",
]


@pytest.mark.parametrize("name", LEGAL)
def test_the_catalogue_lies_in_its_home_whatever_that_is_called(tmp_path: Path, name: str) -> None:
    given = Settings.load(home=tmp_path / name)
    assert given.catalog_url.database == str(tmp_path / name / "catalogue.sqlite")
    assert make_url(given.catalog_url) == given.catalog_url


def test_a_home_is_absolute_and_tilde_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert Settings.load(home="here/").home == tmp_path / "here"
    assert Settings.load(home="~/fakes", models_dir="~").home == tmp_path / "me" / "fakes"
    assert Settings.load(home="./~").home == tmp_path / "~"
    assert Settings.load(home="~nobody-of-this-name").home == tmp_path / "~nobody-of-this-name"


def test_a_folder_that_is_gone_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(DejafakeError, match="DEJAFAKE_HOME"):
        Settings.load(home="here")


def test_a_database_url_is_taken_as_it_is_escaped() -> None:
    assert Settings.load(database_url="sqlite:////data/a%3Fb.db").catalog_url.database == "/data/a?b.db"
    assert Settings.load(database_url="postgresql://u:p%40w@h/n").catalog_url.password == "p@w"
    with pytest.raises(UsageError, match="DEJAFAKE_DATABASE_URL") as caught:
        _ = Settings.load(database_url="no url with a secret").catalog_url
    assert "secret" not in str(caught.value)


def test_settings_go_to_other_processes() -> None:
    given = Settings.load(home="/h", allowed_hosts="a")
    assert pickle.loads(pickle.dumps(given)) == given
    assert os.fspath(given.home) == "/h"
