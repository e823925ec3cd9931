"""What a source of pictures promises to whoever ingests it."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from indexer.errors import ImageRejectedError
from indexer.sources import Found, Source, SourceItem, SourceRejection, SourceSkip
from indexer.sources.items import MAX_NAME, MAX_PATH, printable


class SourceTests:
    """Inherit, and give the fixture `source`: a source with at least one picture that can be read."""

    def test_it_holds_a_picture(self, source: Source) -> None:
        assert self._items(source), "the fixture `source` has no picture to test with"

    def test_reading_it_again_gives_the_same_in_the_same_order(self, source: Source) -> None:
        assert [self._facts(item) for item in source] == [self._facts(item) for item in source], (
            "iterating again must start anew: a killed ingest is run again"
        )

    def test_two_readers_at_a_time_do_not_disturb_each_other(self, source: Source) -> None:
        alone = [self._facts(facts) for facts in source]
        pairs = [(self._facts(facts), self._facts(other)) for facts, other in zip(source, source, strict=True)]
        assert pairs == [(facts, facts) for facts in alone], "each iteration must keep its own place"

    def test_its_name_and_locations_can_be_shown_anywhere(self, source: Source) -> None:
        assert source.name, "a source has a name"
        assert "/" not in source.name, "the name must not tell the path that leads there"
        for item in source:
            assert item.source == source.name, "what is found carries the name of its source"
            assert item.location, "a location is where in the source it is"
            for text, most in ((item.source, MAX_NAME), (item.location, MAX_PATH)):
                assert len(text) <= most, f"{text[:40]!r}… is longer than {most} characters"
                assert printable(text) == text, f"{text!r} holds characters that can drive a terminal: use printable()"
            if isinstance(item, SourceItem):
                assert not item.location.startswith("/"), "a location is inside its source"

    def test_no_two_pictures_are_at_one_location(self, source: Source) -> None:
        locations = [item.location for item in self._items(source)]
        assert len(locations) == len(set(locations)), "locations tell pictures apart"

    def test_it_counts_what_it_yields_or_does_not_count(self, source: Source) -> None:
        yielded = sum(isinstance(item, SourceItem | SourceRejection) for item in source)
        assert source.count() in (None, yielded), "count() is items and rejections, or None"

    def test_pictures_are_read_late_again_and_from_any_thread(self, source: Source) -> None:
        items = self._items(source)
        first = [self._bytes(item) for item in items]
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(self._bytes, items)) == first, "read() gives the same bytes whoever calls it"
        assert any(isinstance(data, bytes) for data in first), "no picture of the fixture `source` can be read"

    def test_a_digest_that_it_states_is_sha256_in_lower_case(self, source: Source) -> None:
        for item in self._items(source):
            data = self._bytes(item)
            if item.expected_sha256 is not None and isinstance(data, bytes):
                assert item.expected_sha256 == sha256(data).hexdigest()

    def test_times_and_addresses_are_what_the_catalogue_takes(self, source: Source) -> None:
        for item in self._items(source):
            claim = item.sighting
            if claim is None:
                continue
            if claim.posted_at is not None:
                assert claim.posted_at.utcoffset() is not None, "posted_at knows its zone, and is UTC"
                assert not claim.posted_at.utcoffset(), "posted_at is UTC"
            for url in (claim.url, claim.archive_url):
                assert url is None or url.startswith(("http://", "https://")), f"{url!r} is no web address"

    def test_what_it_refuses_is_one_line_with_a_reason(self, source: Source) -> None:
        for item in source:
            if isinstance(item, SourceItem):
                continue
            assert item.reason.isidentifier(), f"the reason {item.reason!r} is not a word with underscores"
            if isinstance(item, SourceRejection):
                assert item.message, "a rejection says for a person what is wrong"
                assert item.message.isprintable(), "a rejection's message is one line that a terminal can show"

    @staticmethod
    def _items(source: Source) -> list[SourceItem]:
        return [item for item in source if isinstance(item, SourceItem)]

    @staticmethod
    def _bytes(item: SourceItem) -> bytes | str:
        """What reading gives, or why it is refused; any other error fails the test."""
        try:
            return item.read()
        except ImageRejectedError as refused:
            return refused.reason

    @staticmethod
    def _facts(item: Found) -> object:
        if isinstance(item, SourceRejection | SourceSkip):
            return item
        kept = (item.value, item.technique, item.generator, item.label_reason, item.sighting, item.expected_sha256)
        return (item.source, item.location, *kept, item.collections, dict(item.fields), item.edition, item.remarks)
