"""The budget of decoded bytes: large pictures wait, first come first served, and nothing waits for ever."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexer.imaging import budget
from indexer.imaging.budget import DECODING, HELD, DecodeBudget, budget_of
from indexer.imaging.decoding import decode
from indexer.imaging.limits import ImageLimits
from indexer.settings import Settings
from tests.made_pictures import encoded, scene


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "PATIENCE", 0.05)


class Picture:
    """Something that can be held."""


def test_what_does_not_fit_waits_for_room_and_comes_in_the_order_it_came() -> None:
    shared = DecodeBudget(10 * DECODING)
    order: list[int] = []
    most = [0]

    def take(number: int, pixels: int) -> None:
        with shared.decoding(pixels):
            order.append(number)
            most[0] = max(most[0], shared.used)

    with ThreadPoolExecutor(4) as pool:
        with shared.decoding(8):
            waiting = []
            for number, pixels in enumerate((9, 1, 5)):  # the second would fit, and is not let past the first
                waiting.append(pool.submit(take, number, pixels))
                while len(shared._queue) <= number:
                    pass
            assert order == []
        for one in waiting:
            one.result(timeout=20)
    assert order == [0, 1, 2]
    assert most[0] <= shared.total
    assert shared.used == 0


def test_a_picture_larger_than_the_budget_is_decoded_alone() -> None:
    shared = DecodeBudget(DECODING)
    with ThreadPoolExecutor(1) as pool:
        with shared.decoding(1_000):
            other = pool.submit(lambda: shared.decoding(1).__enter__())
            assert not other.done()
        other.result(timeout=20)


def test_pictures_that_are_held_count_until_they_are_let_go_and_keep_nobody_waiting_for_ever() -> None:
    shared = DecodeBudget(10 * HELD)
    picture = Picture()
    with shared.decoding(10) as lease:
        shared.hold(lease, picture, 10)
    assert shared.used == 10 * HELD
    with shared.decoding(10):  # the budget is full of what is held, and this goes ahead all the same
        assert shared.used == 10 * (HELD + DECODING)
    del picture
    gc.collect()
    assert shared.used == 0


def test_a_failure_gives_back_what_it_took() -> None:
    shared = DecodeBudget(100 * DECODING)
    with pytest.raises(ValueError, match="broken"), shared.decoding(5):
        raise ValueError("broken")
    assert shared.used == 0


def test_threads_that_hold_one_picture_and_decode_another_all_finish() -> None:
    limits = ImageLimits(10_000_000, 10_000_000, 10, max_decoded_bytes=1)
    data = encoded(scene(1), "JPEG")
    both = threading.Barrier(4)

    def compare() -> bool:
        one = decode(data, limits)
        both.wait(timeout=60)
        other = decode(data, limits)
        return one.rgb.size == other.rgb.size

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: compare(), range(4), timeout=60))
    gc.collect()
    assert budget_of(1).used == 0


def test_the_budget_is_a_setting_and_at_most_a_billion_and_a_half_by_default() -> None:
    assert ImageLimits.from_settings(Settings(max_decoded_bytes=123)).max_decoded_bytes == 123
    assert 0 < ImageLimits.from_settings(Settings()).max_decoded_bytes <= 1_500_000_000
