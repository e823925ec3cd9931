"""Spellings of one web address have one key; addresses of two things have two."""

import pytest

from indexer.addresses import address_key

SAME = {
    "https://www.example.org/post/1": [
        "http://www.example.org/post/1",
        "https://www.example.org/post/1/",
        "HTTPS://WWW.Example.ORG/post/1",
        "https://www.example.org:443/post/1",
        "http://www.example.org:80/post/1",
        "https://www.example.org./post/1",
        "https://example.org/post/1",
        "https://m.example.org/post/1",
        "https://mobile.example.org/post/1",
        "https://amp.example.org/post/1",
        "https://www.example.org/post/1?utm_source=x&utm_medium=y&fbclid=abc",
        "https://www.example.org/post/1?gclid=1&igshid=2&si=3&ref_src=twsrc%5Etfw&UTM_Campaign=z&_ga=1",
        "https://www.example.org/post/1?",
        "https://www.example.org/post/1#comments",
        "https://www.example.org/post/1#:~:text=word",
        "https://www.example.org/a/../post/./1",
        "https://www.example.org/%70ost/1",
        "  https://www.example.org/post/1\n",
        "www.example.org/post/1",
        "//example.org/post/1",
        "example.org/post/1?amp=1",
        "https://www.google.com/amp/s/www.example.org/post/1",
        "https://www-example-org.cdn.ampproject.org/c/s/www.example.org/post/1?amp=1",
        "https://www.example.org/post/1;jsessionid=ABC123",
    ],
    "https://example.org/p?id=1&page=2": [
        "https://example.org/p?page=2&id=1",
        "https://example.org/p?page=2&amp;id=1",
        "https://example.org/p/?utm_source=a&page=2&id=1&fbclid=b",
    ],
    "https://example.org/a%2Fb?q=a%20b%C3%A9": [
        "https://example.org/a%2fb?q=a+b%c3%a9",
        "https://example.org/a%2fb?q=a b\u00e9",
    ],
    "https://b\u00fccher.example/\u00fc": [
        "https://xn--bcher-kva.example/%C3%BC",
        "https://B\u00dcCHER.example/%c3%bc",
        "https://www.b\u00fccher.example/\u00fc",
    ],
    "https://x.com/someone/status/123": [
        "https://twitter.com/someone/status/123",
        "https://mobile.twitter.com/SomeOne/status/123?s=20&t=abcDEF",
        "https://www.twitter.com/someone/statuses/123",
        "https://x.com/i/web/status/123",
        "https://vxtwitter.com/someone/status/123",
        "https://fxtwitter.com/someone/status/123",
    ],
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ": [
        "https://youtu.be/dQw4w9WgXcQ",
        "https://youtu.be/dQw4w9WgXcQ?si=abc&t=10",
        "https://m.youtube.com/watch?v=dQw4w9WgXcQ&feature=share",
        "https://www.youtube.com/watch?list=PL1&v=dQw4w9WgXcQ&t=10s",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0",
    ],
    "https://www.facebook.com/photo.php?fbid=1&set=a.2": [
        "https://m.facebook.com/photo.php?fbid=1&set=a.2&_rdr",
        "https://mbasic.facebook.com/photo.php?set=a.2&fbid=1&__tn__=R",
        "https://web.facebook.com/photo.php?fbid=1&set=a.2&mibextid=x",
        "http://fb.com/photo.php?fbid=1&set=a.2",
    ],
    "https://www.reddit.com/r/pics/comments/abc123/a_title/": [
        "https://old.reddit.com/r/pics/comments/abc123/a_title",
        "https://new.reddit.com/r/pics/comments/abc123/",
        "https://redd.it/abc123",
        "https://www.reddit.com/comments/abc123",
    ],
    "https://t.me/channel/12": ["https://t.me/s/channel/12", "https://telegram.me/channel/12?single"],
    "https://www.instagram.com/p/AbC/": ["https://instagram.com/p/AbC?igsh=xyz", "https://instagr.am/p/AbC"],
    "https://de.wikipedia.org/wiki/A": ["https://de.m.wikipedia.org/wiki/A"],
    "http://[2001:DB8::1]:8080/a": ["http://[2001:db8::1]:8080/a"],
}

APART = [
    ("https://example.org/watch?v=1", "https://example.org/watch?v=2"),
    ("https://example.org/?id=1", "https://example.org/?id=2"),
    ("https://example.org/?p=1", "https://example.org/"),
    ("https://example.org/Post", "https://example.org/post"),
    ("https://example.org/?q=A", "https://example.org/?q=a"),
    ("https://example.org/post/1", "https://example.org/post/10"),
    ("https://example.org/a%2Fb", "https://example.org/a/b"),
    ("https://example.org/?a=1&a=2", "https://example.org/?a=2&a=1"),
    ("https://example.org/#!/post/1", "https://example.org/#!/post/2"),
    ("https://example.org/#/post/1", "https://example.org/#/post/2"),
    ("https://example.org:8080/a", "https://example.org/a"),
    ("http://example.org:443/a", "http://example.org/a"),
    ("https://example.org/a", "https://example.com/a"),
    ("https://blog.example.org/a", "https://example.org/a"),
    ("https://news.example.org/a", "https://sport.example.org/a"),
    ("https://mexample.org/a", "https://example.org/a"),
    ("https://m.co.uk/a", "https://mobile.co.uk/a"),
    ("https://m.com/a", "https://mobile.com/a"),
    ("https://www.example.org.evil.example/a", "https://example.org/a"),
    ("https://example.org@evil.example/a", "https://example.org/a"),
    ("https://example.org/?ref=main", "https://example.org/?ref=dev"),
    ("https://example.org/?s=20", "https://example.org/?s=21"),
    ("https://example.org/?t=1", "https://example.org/?t=2"),
    ("https://x.com/a/status/1", "https://x.com/a/status/2"),
    ("https://x.com/a/status/1/photo/1", "https://x.com/a/status/1/photo/2"),
    ("https://x.com/Someone", "https://x.com/i/status/1"),
    ("https://youtu.be/dQw4w9WgXcQ", "https://youtu.be/dQw4w9WgXcq"),
    ("https://www.youtube.com/playlist?list=a", "https://www.youtube.com/playlist?list=b"),
    ("https://www.facebook.com/photo.php?fbid=1", "https://www.facebook.com/photo.php?fbid=2"),
    ("https://fb.watch/abc", "https://www.facebook.com/abc"),
    ("https://old.example.org/a", "https://example.org/a"),
    ("https://www.reddit.com/r/a/comments/b/c/d", "https://www.reddit.com/r/a/comments/b/c/e"),
    ("https://www.instagram.com/p/a/?img_index=1", "https://www.instagram.com/p/a/?img_index=2"),
    ("https://vm.tiktok.com/a", "https://tiktok.com/a"),
    ("https://ipfs.example/amp/s/www.example.org/a", "https://www.example.org/a"),
    ("ftp://example.org/a", "https://example.org/a"),
    ("data:image/png;base64,AA", "data:image/png;base64,aa"),
]


@pytest.mark.parametrize(
    ("address", "spelling"), [(address, spelling) for address, spellings in SAME.items() for spelling in spellings]
)
def test_spellings_of_one_address_have_one_key(address: str, spelling: str) -> None:
    assert address_key(spelling) == address_key(address)


@pytest.mark.parametrize(("one", "other"), APART)
def test_two_addresses_have_two_keys(one: str, other: str) -> None:
    assert address_key(one) != address_key(other)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "https://", "http:///a", "https://[::1", "https://example.org:port/", "https://example.org:99999/"),
        *("https://xn--a/", "https://\u0600.example/", "https://a..b/", "\ud800", "https://example.org/\ud800?\ud800"),
        *("https://example.org/%", "https://example.org/%zz?%", "not an address", "https://www./", "https://m./"),
        *("https://google.com/amp/s/" * 600, "a." * 8_000, "https://" + "%41" * 5_000, "../" * 5_000),
        "https://cdn.ampproject.org/c/s/" * 500 + "a.example",
    ],
)
def test_no_text_is_refused_and_a_key_is_its_own_key(text: str) -> None:
    once = address_key(text)
    assert address_key(once) == address_key(address_key(once))


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "https://www.instagram.com/p/AbC_-1/",
            "https://instagram.com/somebody/p/AbC_-1/?igsh=x",
            "https://www.instagram.com/reel/AbC_-1/",
            "https://www.instagram.com/somebody/reel/AbC_-1",
        ),
        (
            "https://www.facebook.com/photo.php?fbid=1&set=a.2&type=3",
            "https://m.facebook.com/photo/?fbid=1",
            "https://www.facebook.com/photo?set=a.2&fbid=1",
        ),
    ],
)
def test_a_post_is_known_by_its_id_however_it_was_reached(spellings: tuple[str, ...]) -> None:
    assert len({address_key(one) for one in spellings}) == 1


def test_posts_of_other_ids_and_other_pages_stay_apart() -> None:
    apart = (
        *("https://www.instagram.com/p/AbC/", "https://www.instagram.com/p/abc/", "https://www.instagram.com/p/"),
        *("https://www.instagram.com/AbC/", "https://www.instagram.com/stories/p/AbC/1/"),
        *("https://www.facebook.com/photo.php?fbid=1", "https://www.facebook.com/photo.php?fbid=2"),
        *("https://www.facebook.com/1", "https://www.facebook.com/photo.php?set=a.1"),
    )
    assert len({address_key(one) for one in apart}) == len(apart)
