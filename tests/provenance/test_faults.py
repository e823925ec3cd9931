"""What dejafake itself does wrong while reading provenance is logged, and the file is read again later."""

import logging

import pytest

from indexer.imaging.limits import ImageLimits
from indexer.provenance import ProvenanceLimits, read_provenance, reading
from indexer.settings import Settings
from tests.made_pictures import encoded, scene


def test_a_fault_of_the_program_is_logged_and_not_called_damage(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise AttributeError("no such thing")

    monkeypatch.setattr(reading, "read_watermark", fails)
    with caplog.at_level(logging.INFO):
        read = read_provenance(encoded(scene(1)))
    assert not read.complete
    assert "dejafake failed" in read.findings[-1].statement
    assert "no such thing" in caplog.text


def test_damage_is_said_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError("broken block")

    monkeypatch.setattr(reading, "read_watermark", fails)
    read = read_provenance(encoded(scene(1)))
    assert read.complete
    assert "it is damaged" in read.findings[-1].statement


def test_pictures_are_decoded_under_the_limits_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ImageLimits] = []

    def decode(data: bytes, limits: ImageLimits) -> None:
        asked.append(limits)
        raise AssertionError

    settings = Settings(max_pixels=1_234_567, max_decoded_bytes=99)
    monkeypatch.setattr(reading, "decode", decode)
    with pytest.raises(AssertionError):
        read_provenance(encoded(scene(1)), ProvenanceLimits.from_settings(settings))
    assert asked == [ImageLimits.from_settings(settings)]
