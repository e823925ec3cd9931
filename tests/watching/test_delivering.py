"""Webhooks of watches: told in order, the same bytes in every attempt, given up after a bounded time, never shown."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from indexer.catalog import Catalog
from indexer.catalog.records.watches import NewWebhook, Watch, Webhook, WebhookState
from indexer.catalog.tables.watches import WatchRow
from indexer.catalog.watches import events as watch_events
from indexer.catalog.watches import watches
from indexer.delivery import LEASE, PAUSES, Webhooks
from indexer.settings import Settings
from indexer.watching import Deliverer
from tests.receivers import HOST, Heard, is_signed, receiver
from tests.watching.watched_catalogue import NOW, add, digest, look, pdq, watch_picture

KEY = "a key of its own"


@pytest.fixture
def deliverer(catalog: Catalog, tmp_path: Path) -> Deliverer:
    settings = Settings.load(home=tmp_path, callback_secret="the server's", callback_hosts=(HOST,))
    return Deliverer(catalog, Webhooks(settings))


def webhook(catalog: Catalog, watch: Watch) -> Webhook:
    with catalog.reading() as session:
        found = watches.get(session, watch.id).webhook
    assert found is not None
    return found


def told(heard: Heard) -> list[str]:
    return [event["sha256"] for _, body in heard for event in json.loads(body)["events"]]


def test_what_is_found_is_told_signed_in_order_and_once(catalog: Catalog, deliverer: Deliverer) -> None:
    with receiver(204) as (url, heard):
        watch = watch_picture(catalog, 7, NewWebhook(url, KEY))
        assert deliverer.deliver(NOW) is None, "nothing was found yet"
        expected = [add(catalog, number, hash_=pdq(7)) for number in (10, 11)]
        look(catalog)
        assert deliverer.deliver(NOW) is True
        expected.append(add(catalog, 12, hash_=pdq(7)))
        look(catalog)
        assert deliverer.deliver(NOW) is True
        assert deliverer.deliver(NOW) is None
    assert told(heard) == expected
    assert all(is_signed(headers, body, KEY.encode()) for headers, body in heard)
    first = json.loads(heard[0][1])
    assert first["watch"] == {"id": watch.id, "name": "picture 7", "kind": "image"}
    assert first["delivery"] == heard[0][0]["webhook-id"]
    assert first["events"][0]["relation"] == "same_picture"
    assert webhook(catalog, watch).state is WebhookState.IDLE


def test_a_delivery_is_bounded_and_the_rest_follows_at_once(
    catalog: Catalog, deliverer: Deliverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_events, "DELIVERED_AT_ONCE", 2)
    with receiver(204) as (url, heard):
        watch_picture(catalog, 7, NewWebhook(url, KEY))
        expected = [add(catalog, number, hash_=pdq(7)) for number in range(10, 15)]
        look(catalog)
        assert [deliverer.deliver(NOW) for _ in range(4)] == [True, True, True, None]
    assert told(heard) == expected
    assert len({headers["webhook-id"] for headers, _ in heard}) == 3


def test_a_failed_attempt_is_made_again_later_with_the_same_bytes(catalog: Catalog, deliverer: Deliverer) -> None:
    with receiver(503, 204) as (url, heard):
        watch = watch_picture(catalog, 7, NewWebhook(url, None))
        add(catalog, 7)
        look(catalog)
        assert deliverer.deliver(NOW) is False
        waiting = webhook(catalog, watch)
        assert (waiting.state, waiting.attempts) == (WebhookState.PENDING, 1)
        assert (waiting.next_attempt_at, waiting.last_error) == (NOW + PAUSES[0], "answered with 503")
        add(catalog, 10, hash_=pdq(7))
        look(catalog)
        assert deliverer.deliver(NOW + PAUSES[0] - timedelta(seconds=1)) is None
        assert deliverer.deliver(NOW + PAUSES[0]) is True
        assert deliverer.deliver(NOW + PAUSES[0]) is True, "what was found meanwhile is a delivery of its own"
    (first, again, other) = heard
    assert first[1] == again[1]
    assert first[0]["webhook-id"] == again[0]["webhook-id"] != other[0]["webhook-id"]
    assert is_signed(*again, b"the server's")
    assert webhook(catalog, watch).last_error is None


def given_up(catalog: Catalog, deliverer: Deliverer, watch: Watch) -> datetime:
    """Attempts until there are no more; when the last one was."""
    now = NOW
    while True:
        assert deliverer.deliver(now) is False
        following = webhook(catalog, watch).next_attempt_at
        if following is None:
            return now
        now = following


def test_a_dead_receiver_is_given_up_and_told_everything_when_the_watch_is_resumed(
    catalog: Catalog, deliverer: Deliverer, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver(*[500] * (len(PAUSES) + 1), 204) as (url, heard):
        watch = watch_picture(catalog, 7, NewWebhook(url, KEY))
        add(catalog, 7)
        look(catalog)
        last = given_up(catalog, deliverer, watch)
        assert last - NOW == sum(PAUSES, timedelta(0))
        assert len(heard) == len(PAUSES) + 1
        assert "given up" in caplog.text
        stopped = webhook(catalog, watch)
        assert (stopped.state, stopped.last_error) == (WebhookState.STOPPED, "answered with 500")
        add(catalog, 10, hash_=pdq(7))
        assert look(catalog).alerts == 1, "an event is recorded whether or not somebody is told"
        assert deliverer.deliver(last + timedelta(days=30)) is None
        with catalog.writing() as session:
            watches.resume(session, watch.id, last)
        assert [deliverer.deliver(last) for _ in range(3)] == [True, True, None]
    assert told(heard[-2:]) == [digest(7), digest(10)]


def test_a_delivery_whose_maker_died_is_made_by_another_after_a_while(catalog: Catalog, deliverer: Deliverer) -> None:
    with receiver(204) as (url, heard):
        watch = watch_picture(catalog, 7, NewWebhook(url, KEY))
        add(catalog, 7)
        look(catalog)
        with catalog.writing() as session:
            taken = watch_events.take_due(session, NOW, LEASE)
        assert taken is not None
        assert deliverer.deliver(NOW + LEASE - timedelta(seconds=1)) is None
        assert deliverer.deliver(NOW + LEASE) is True
        with catalog.writing() as session:
            watch_events.failed(session, watch.id, taken.through, "too late", again_at=None, now=NOW)
    assert len(heard) == 1
    assert webhook(catalog, watch).state is WebhookState.IDLE, "the word of who lost the delivery does not count"


def test_a_paused_watch_tells_nothing(catalog: Catalog, deliverer: Deliverer) -> None:
    with receiver(204) as (url, heard):
        watch = watch_picture(catalog, 7, NewWebhook(url, KEY))
        add(catalog, 7)
        look(catalog)
        with catalog.writing() as session:
            watches.pause(session, watch.id, NOW)
        assert deliverer.deliver(NOW) is None
        with catalog.writing() as session:
            watches.resume(session, watch.id, NOW)
        assert deliverer.deliver(NOW) is True
    assert len(heard) == 1


def test_a_key_goes_in_and_never_comes_out(catalog: Catalog) -> None:
    watch = watch_picture(catalog, 7, NewWebhook("https://desk.example/told", KEY))
    assert webhook(catalog, watch).own_secret
    assert KEY not in repr(asdict(watch))


def test_a_watch_that_cannot_be_told_of_holds_up_no_other(
    catalog: Catalog, deliverer: Deliverer, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver(204) as (url, heard):
        bad, good = (watch_picture(catalog, 7, NewWebhook(url, KEY)) for _ in range(2))
        expected = add(catalog, 7)
        look(catalog)
        with catalog.writing() as session:
            broken = update(WatchRow).where(WatchRow.id == bad.id)
            session.execute(broken.values(filter={"label": "of a later version"}, tell_at=NOW - timedelta(1)))
        assert deliverer.deliver(NOW) is None
        assert deliverer.deliver(NOW) is True
        assert deliverer.deliver(NOW) is None
    assert told(heard) == [expected]
    assert webhook(catalog, good).state is WebhookState.IDLE
    assert any(f"what watch {bad.id} found cannot be told now" in record.getMessage() for record in caplog.records)
