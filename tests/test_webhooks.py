"""Webhooks: signed, only to addresses that are allowed, never longer than they may take."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from receivers import dripping, is_signed, receiver

from indexer import webhooks
from indexer.errors import UsageError
from indexer.settings import Settings
from indexer.webhooks import Webhooks

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def made(tmp_path: Path, **given: object) -> Webhooks:
    return Webhooks(Settings.load(home=tmp_path, **{"callback_secret": "a secret", **given}))


def test_a_delivery_is_signed_with_the_receivers_key_or_the_installations(tmp_path: Path) -> None:
    sender = made(tmp_path, callback_hosts=("localhost",))
    with receiver(204) as (url, heard):
        assert sender.send(url, b"{}", "first", NOW) is None
        assert sender.send(url, b"{}", "second", NOW, SecretStr("its own")) is None
    assert [headers["Dejafake-Delivery"] for headers, _ in heard] == ["first", "second"]
    assert heard[0][0]["Dejafake-Signature"].startswith(f"t={int(NOW.timestamp())},v1=")
    assert is_signed(*heard[0], b"a secret")
    assert is_signed(*heard[1], b"its own")


@pytest.mark.parametrize("status", [302, 404, 503])
def test_only_2xx_counts_as_told_and_no_redirect_is_followed(tmp_path: Path, status: int) -> None:
    with receiver(status) as (url, heard):
        failure = made(tmp_path, callback_hosts=("localhost",)).send(url, b"{}", "one", NOW)
    assert failure == f"answered with {status}"
    assert len(heard) == 1


def test_a_receiver_that_drips_its_headers_cannot_hold_the_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "DEADLINE", 0.2)
    with dripping() as url:
        failure = made(tmp_path, callback_hosts=("localhost",)).send(url, b"{}", "one", NOW)
    assert failure == "no answer within 0.2 seconds"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/told", "https"),
        ("https://127.0.0.1/told", "public"),
        ("https://[::1]/told", "public"),
        ("https://[::ffff:10.0.0.1]/told", "public"),
        ("https://169.254.169.254/latest", "public"),
        ("https://10.1.2.3/", "public"),
        ("https://someone@example.org/", "user name"),
    ],
)
def test_places_of_the_house_are_refused(tmp_path: Path, url: str, words: str) -> None:
    sender = made(tmp_path)
    with pytest.raises(UsageError, match=words):
        sender.check(url)
    assert words in (sender.send(url, b"{}", "one", NOW) or ""), "checked again with every attempt"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "fe80::1", "64:ff9b::a00:1", "2002:a00:1::", "0.0.0.0"],
)
def test_a_public_name_with_an_address_of_the_house_is_not_called(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    entry = (family, socket.SOCK_STREAM, 6, "", (address, 443))
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [public, entry])
    url = webhooks._parsed("https://example.org/told")
    with pytest.raises(OSError, match="not public"):
        webhooks._resolved(url, trusted=False)
    assert str(webhooks._resolved(url, trusted=True)[0]) == "93.184.216.34"


def test_a_host_is_trusted_by_its_whole_name(tmp_path: Path) -> None:
    sender = made(tmp_path, callback_hosts=("desk.example",))
    sender.check("http://desk.example:8080/told")
    with pytest.raises(UsageError, match="https"):
        sender.check("http://desk.example.attacker.org/told")


def test_without_any_key_nothing_is_sent(tmp_path: Path) -> None:
    sender = made(tmp_path, callback_secret=None)
    with pytest.raises(UsageError, match="DEJAFAKE_CALLBACK_SECRET"):
        sender.check("https://example.org/told")
    sender.check("https://example.org/told", SecretStr("its own"))
