"""Accounts that share the same pictures: planted ones are found, independent ones are not; exports are read back."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from indexer.accounts import (
    AccountLinks,
    AccountQuestion,
    GraphFormat,
    account_links,
    coortweet,
    dated_shares,
    drawing_of,
    exported,
)
from indexer.catalog import Catalog
from indexer.catalog.images import images, sightings
from indexer.catalog.records.filters import ImageFilter
from indexer.catalog.records.images import NewImage
from indexer.errors import UsageError
from indexer.settings import Settings
from indexer.sightings import NewSighting
from tests.watching.watched_catalogue import digest, pdq

START = datetime(2026, 3, 1, tzinfo=UTC)
SETTINGS = Settings(home=Path("nowhere"))
HOSTILE = '=cmd|"<b>\u202e&\x07'


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    with Catalog.open(database_url) as opened:
        yield opened


class Posts:
    """Fills a catalogue with posts; picture n has the hash of scene n, a copy of it another file."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog, self._ids = catalog, dict[tuple[int, int], int]()

    def add(self, picture: int, account: str, minute: float, platform: str | None = "x", copy: int = 0) -> None:
        with self._catalog.writing() as session:
            if (picture, copy) not in self._ids:
                facts = (1_000, "JPEG", 640, 480, "RGB", 1, ())
                hashed = pdq(picture, flipped=copy)
                new = NewImage(digest(1_000 * copy + picture), *facts, hashed, 90, "reference")
                self._ids[picture, copy] = images.add(session, new)
            seen = NewSighting(platform=platform, account=account, posted_at=START + timedelta(minutes=minute))
            sightings.add(session, self._ids[picture, copy], [seen])

    def independent(self, seed: int, accounts: int = 15, pictures: int = 25, posts: int = 250) -> None:
        """Accounts that share pictures of the day, some far more popular than others, each for itself."""
        rng = np.random.default_rng(seed)
        born = rng.uniform(0, 20_000, pictures)
        popular = 1 / np.arange(1, pictures + 1)
        for _ in range(posts):
            picture = int(rng.choice(pictures, p=popular / popular.sum()))
            self.add(picture + 100, f"a{rng.integers(accounts)}", born[picture] + rng.exponential(700))


def asked(catalog: Catalog, **question: object) -> AccountLinks:
    return account_links(catalog, SETTINGS, AccountQuestion(**question))  # type: ignore[arg-type]


def pairs(links: AccountLinks) -> set[frozenset[str]]:
    return {frozenset({links.accounts[link.a].account, links.accounts[link.b].account}) for link in links.links}


def test_planted_accounts_are_found_with_copies_as_one_picture_and_who_posts_first(catalog: Catalog) -> None:
    posts = Posts(catalog)
    posts.independent(1)
    for picture in range(8):
        posts.add(picture, "first", 3_000 * picture, copy=0)
        posts.add(picture, "second", 3_000 * picture + 5, copy=3)  # 3 bits away: a copy
        posts.add(picture, "late", 3_000 * picture + 600)
    links = asked(catalog)
    assert pairs(links) == {frozenset({"first", "second"})}
    (link,) = links.links
    assert (link.shared, link.seconds_apart, len(link.pictures)) == (8, 300.0, 8)
    assert link.first_to_post is not None
    assert links.accounts[link.first_to_post].account == "first"
    assert link.p <= link.q <= 0.05
    assert {account.group for account in links.accounts} == {1}
    assert "no proof of coordination" in links.statement
    assert frozenset({"first", "late"}) in pairs(asked(catalog, window_minutes=700))


@pytest.mark.parametrize("seed", range(4))
def test_independent_accounts_are_not_linked(catalog: Catalog, seed: int) -> None:
    Posts(catalog).independent(10 + seed)
    links = asked(catalog)
    assert links.tested > 0
    assert links.links == ()


def test_names_on_two_platforms_are_two_accounts_and_undated_posts_do_not_count(catalog: Catalog) -> None:
    posts = Posts(catalog)
    posts.independent(2)
    for picture in range(6):
        posts.add(picture, "same", 3_000 * picture, platform="x")
        posts.add(picture, "same", 3_000 * picture + 1, platform="telegram")
    with catalog.writing() as session:
        (image_id,) = images.find_ids(session, [digest(1)]).values()
        sightings.add(session, image_id, [NewSighting(platform="x", account="undated")])
    links = asked(catalog)
    assert [(account.platform, account.account) for account in links.accounts] == [("telegram", "same"), ("x", "same")]
    assert asked(catalog, images=ImageFilter(platform="x")).links == ()


def test_the_same_question_gets_the_same_answer_and_drawing(catalog: Catalog) -> None:
    posts = Posts(catalog)
    for picture in range(40):
        for minute, account in enumerate(("a", "b", "c") if picture < 8 else (f"other{picture}",)):
            posts.add(picture, account, 3_000 * picture + minute)
    one, again = asked(catalog), asked(catalog)
    assert one == again
    assert len(one.links) == 3
    assert drawing_of(one) == drawing_of(again)
    drawing = drawing_of(one)
    assert drawing is not None
    assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in drawing.places)


def test_exports_are_read_back_with_hostile_names_and_without_formulas(catalog: Catalog, tmp_path: Path) -> None:
    posts = Posts(catalog)
    for picture in range(40):
        for minute, account in enumerate((HOSTILE, "b") if picture < 8 else (f"other{picture}",)):
            posts.add(picture, account, 3_000 * picture + minute, platform=None)
    links = asked(catalog)
    for kind, read in ((GraphFormat.GEXF, nx.read_gexf), (GraphFormat.GRAPHML, nx.read_graphml)):
        path = tmp_path / kind
        path.write_bytes(exported(links, kind))
        graph = read(path)
        assert (graph.number_of_nodes(), graph.number_of_edges()) == (2, 1)
        assert next(iter(graph.edges(data=True)))[2]["weight"] == 8
    dated, shares = dated_shares(catalog, SETTINGS, AccountQuestion())
    rows = list(csv.DictReader(io.StringIO(coortweet(shares, dated).decode())))
    assert list(rows[0]) == ["object_id", "account_id", "content_id", "timestamp_share"]
    assert len(rows) == len(dated) == 48
    assert not any(row["account_id"].startswith("=") for row in rows)
    assert [int(row["timestamp_share"]) for row in rows] == sorted(int(row["timestamp_share"]) for row in rows)


def test_an_empty_catalogue_and_bad_questions_are_told(catalog: Catalog) -> None:
    links = asked(catalog)
    assert (links.posts, links.links, drawing_of(links)) == (0, (), None)
    for question in ({"window_minutes": 0}, {"window_minutes": 20_000}, {"min_shared": 0}, {"shuffles": 0}):
        with pytest.raises(UsageError):
            asked(catalog, **question)
