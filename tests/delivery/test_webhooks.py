"""Webhooks: signed, only to addresses that are allowed, never longer than they may take."""

import base64
import socket
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from indexer.delivery import Webhooks, sending, targets
from indexer.delivery.signing import signed_headers
from indexer.errors import UsageError
from indexer.settings import Settings
from tests.receivers import HOST, dripping, receiver

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def made(tmp_path: Path, **given: object) -> Webhooks:
    return Webhooks(Settings.load(home=tmp_path, **{"callback_secret": "a secret", **given}))


def test_a_delivery_is_signed_with_the_receivers_key_or_the_installations(tmp_path: Path) -> None:
    sender = made(tmp_path, callback_hosts=(HOST,))
    with receiver(204) as (url, heard):
        assert sender.send(url, b'{"n": 1}', "first", datetime.now(UTC)) is None
        assert sender.send(url, b'{"n": 2}', "second", datetime.now(UTC), SecretStr("its own")) is None
    (first, first_body), (second, second_body) = heard
    assert [first["webhook-id"], second["webhook-id"]] == ["first", "second"]
    assert Webhook(b"a secret").verify(first_body, first) == {"n": 1}
    assert Webhook(b"its own").verify(second_body, second) == {"n": 2}
    assert not [name for name in first if name.lower().startswith("dejafake")], "one scheme, not two"
    for key, body, headers in (
        (b"its own", first_body, first),
        (b"a secret", first_body + b" ", first),
        (b"a secret", first_body, first | {"webhook-id": "second"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(body, headers)


@pytest.mark.parametrize(
    ("given", "verifying"),
    [
        ("a secret of any kind", base64.b64encode(b"a secret of any kind").decode()),
        ("schl\u00fcssel", base64.b64encode("schl\u00fcssel".encode()).decode()),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("whsec_" + base64.b64encode(b"a" * 25).decode(), "whsec_" + base64.b64encode(b"a" * 25).decode()),
        ("whsec_" + base64.b64encode(b"a" * 25).decode().rstrip("="), base64.b64encode(b"a" * 25).decode()),
        ("whsec-is-text", base64.b64encode(b"whsec-is-text").decode()),
    ],
)
def test_keys_are_text_or_the_form_of_standard_webhooks(given: str, verifying: str) -> None:
    body = '{"who": "J\u00e9r\u00f4me"}'.encode()
    headers = signed_headers(SecretStr(given), "wch_1_17", body, datetime.now(UTC))
    assert Webhook(verifying).verify(body, headers) == {"who": "J\u00e9r\u00f4me"}


def test_the_signature_is_of_the_instant_whatever_its_zone() -> None:
    elsewhere = datetime.now(timezone(timedelta(hours=9)))
    headers = signed_headers(SecretStr("a secret"), "one", b"{}", elsewhere)
    assert headers["webhook-timestamp"] == str(int(elsewhere.timestamp()))
    assert Webhook(b"a secret").verify(b"{}", headers) == {}


@pytest.mark.parametrize("key", ["whsec_", "whsec_=", "whsec_not base64 at all", "whsec_M", "whsec_abc-_123"])
def test_a_key_that_cannot_sign_is_refused_before_anything_is_sent(tmp_path: Path, key: str) -> None:
    sender = made(tmp_path, callback_hosts=(HOST,))
    with pytest.raises(UsageError, match="key"):
        sender.check("https://example.org/told", SecretStr(key))
    with pytest.raises(UsageError, match="key"):
        made(tmp_path, callback_secret=key).check("https://example.org/told")
    with receiver(204) as (url, heard):
        assert "key" in (sender.send(url, b"{}", "one", NOW, SecretStr(key)) or "")
    assert not heard


@pytest.mark.parametrize("status", [302, 404, 503])
def test_only_2xx_counts_as_told_and_no_redirect_is_followed(tmp_path: Path, status: int) -> None:
    with receiver(status) as (url, heard):
        failure = made(tmp_path, callback_hosts=(HOST,)).send(url, b"{}", "one", NOW)
    assert failure == f"answered with {status}"
    assert len(heard) == 1


def test_a_receiver_that_drips_its_headers_cannot_hold_the_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DEADLINE", 0.2)
    with dripping() as url:
        failure = made(tmp_path, callback_hosts=(HOST,)).send(url, b"{}", "one", NOW)
    assert failure == "no answer within 0.2 seconds"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.org/told", "https"),
        ("https://127.0.0.1/told", "public"),
        ("https://[::1]/told", "public"),
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
    "url",
    [
        *(
            "https://xn--a/",
            "https://[::1/",
            "https://h:0/",
            "https://h:99999/",
            "https://h:port/",
            "https://a..b/",
            "https://",
        ),
        *(
            "https://exa mple.org/",
            "https://[fe80::1%25eth0]/",
            "https://%31%32%37.0.0.1/",
            "https:///told",
            "ftp://a.org/",
        ),
        *("https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0x7f.0.0.1/"),
        *("https://example.org\\\\@127.0.0.1/", "https://user@example.org/", "https://\u0600.example/", "https://-/"),
        f"https://{'a' * 300}.org/",
    ],
)
def test_what_is_no_sound_address_is_one_clear_line(tmp_path: Path, url: str) -> None:
    sender = made(tmp_path)
    with pytest.raises(UsageError) as refused:
        sender.check(url)
    assert "\n" not in str(refused.value)
    assert sender.send(url, b"{}", "one", NOW) is not None


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.5", "169.254.169.254", "0.0.0.0", "0.1.2.3", "100.64.0.1", "172.16.5.4", "192.168.1.1"),
        *("192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "192.88.99.1"),
        *("224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255"),
        *(
            "::1",
            "::",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "2001:db8::1",
        ),
        *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b:1::808:808"),
        *(
            "2002:a00:1::",
            "2002:7f00:1::1",
            "2001::1",
            "2001:0:808:808::1",
            "2001:10::1",
            "100::1",
            "3fff::1",
            "4000::1",
        ),
    ],
)
def test_addresses_that_are_not_of_the_internet_are_not_called(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(UsageError, match="public"):
        made(tmp_path).check(f"https://{host}/told")
    made(tmp_path, callback_hosts=(host,)).check(f"https://{host}/told")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    entry = (family, socket.SOCK_STREAM, 6, "", (address, 443))
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [public, entry])
    target = targets.target_of("https://example.org/told")
    with pytest.raises(OSError, match="not public"):
        targets.resolved(target, trusted=False)
    assert str(targets.resolved(target, trusted=True)[0]) == "93.184.216.34"


@pytest.mark.parametrize(
    "host",
    [
        *(
            "example.org",
            "example.org.",
            "EXAMPLE.org",
            "b\u00fccher.org",
            "xn--bcher-kva.org",
            "local.example.org",
            "internal.dev",
            "localhost.example.com",
            "onion.example.net",
            "example.org:8443",
        ),
        *(
            "93.184.216.34",
            "[2606:4700::1111]",
            "[64:ff9b::808:808]",
            "[2002:808:808::1]",
            "[::ffff:8.8.8.8]",
            "a_b.example.org",
        ),
    ],
)
def test_addresses_of_the_internet_may_be_called(tmp_path: Path, host: str) -> None:
    made(tmp_path).check(f"https://{host}/told?x=1")


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "LocalHost.",
            "localhost:8443",
            "desk",
            "a.localhost",
            "foo.internal",
            "printer.local",
            "x.test",
        ),
        *("a.b.onion", "nas.lan", "router.home.arpa", "x.invalid", "a.corp", "a.intranet", "b\u00fccher.local"),
        *("localhost.localdomain", "x.private", "x.example", "x.alt", "foo.INTERNAL.", "kubernetes"),
    ],
)
def test_names_that_are_never_public_are_refused_before_anything_is_sent(tmp_path: Path, host: str) -> None:
    with pytest.raises(UsageError, match="public address, unless DEJAFAKE_CALLBACK_HOSTS names"):
        made(tmp_path).check(f"https://{host}/told")
    made(tmp_path, callback_hosts=(host.rstrip("."),)).check(f"https://{host}/told")


def test_a_host_is_trusted_by_its_whole_name_and_on_its_ports(tmp_path: Path) -> None:
    sender = made(
        tmp_path, callback_hosts=("Desk.example", "other.example:8080", "::1", "[fd00::1]:9000", "10.0.0.1:81")
    )
    for url in (
        *("http://desk.example/told", "http://desk.example:80/", "https://desk.example/", "https://DESK.example.:443/"),
        *("http://other.example:8080/", "http://[::1]/", "http://[fd00::1]:9000/", "http://10.0.0.1:81/"),
    ):
        sender.check(url)
    for url in (
        *(
            "http://desk.example:8080/",
            "http://desk.example:443/",
            "http://other.example/",
            "http://other.example:8081/",
        ),
        *("http://desk.example.attacker.org/told", "http://a.desk.example/", "http://[::1]:22/", "https://[fd00::1]/"),
        *("http://10.0.0.1/", "https://10.0.0.1:82/"),
    ):
        with pytest.raises(UsageError, match="unless DEJAFAKE_CALLBACK_HOSTS names"):
            sender.check(url)


@pytest.mark.parametrize(
    "entry", ["https://desk.example", "desk.example/told", "desk.example:0", "a:99999", "a:b", "x@y"]
)
def test_an_allowed_host_that_is_none_is_refused_with_its_variable(tmp_path: Path, entry: str) -> None:
    with pytest.raises(UsageError, match="DEJAFAKE_CALLBACK_HOSTS"):
        made(tmp_path, callback_hosts=(entry,))


def test_whatever_fails_in_sending_counts_as_an_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug at /srv/secret")

    monkeypatch.setattr(sending, "resolved", broken)
    assert made(tmp_path).send("https://example.org/", b"{}", "one", NOW) == (
        "the server failed to send it; its log tells why"
    )


def test_without_any_key_nothing_is_sent(tmp_path: Path) -> None:
    sender = made(tmp_path, callback_secret=None)
    with pytest.raises(UsageError, match="DEJAFAKE_CALLBACK_SECRET"):
        sender.check("https://example.org/told")
    sender.check("https://example.org/told", SecretStr("its own"))
