"""Links between accounts that shared the same pictures within a time window, tested against chance.

The null hypothesis: on each platform, which account made which post is random. Accounts keep their number of posts, and
pictures and times stay as they are, so neither a busy account nor a picture that everybody shared on one day makes a
link likely. Accounts with the same interests do make one: a link is no proof of coordination.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.stats import poisson

from indexer.accounts.sharing import ClosePairs, Numbers, Shares, close_pairs, shares_of
from indexer.catalog.database import Catalog
from indexer.catalog.images import posts
from indexer.catalog.images.posts import Post
from indexer.catalog.records.filters import ImageFilter
from indexer.errors import UsageError
from indexer.settings import Settings
from indexer.threads import thread_count

MOST_POSTS: Final = 200_000
_MOST_PAIRS: Final = 4_000_000
_MOST_ACCOUNTS_OF_A_PICTURE: Final = 500
"""A picture that more accounts shared says nothing about any two of them."""
SIGNIFICANT: Final = 0.05
_PICTURES_OF_A_LINK: Final = 12
STATEMENT: Final = (
    "The accounts shared the same pictures at nearly the same time more often than if it were random who made which "
    "post. That is no proof of coordination: people with the same interests, or who follow the same source, do so too."
)


@dataclass(frozen=True, slots=True)
class AccountQuestion:
    """What is asked.

    Attributes:
        window_minutes: how far apart two posts of a picture may be.
        min_shared: fewest pictures that two accounts must have shared within the window to be compared at all.
        shuffles: random assignments of posts to accounts to compare with.
        seed: of these.
        images: which images, posts and times.
    """

    window_minutes: int = 60
    min_shared: int = 2
    shuffles: int = 199
    seed: int = 1
    images: ImageFilter = field(default_factory=ImageFilter)


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """An account of a platform ("" where that is not known) with at least one link. `posts` are its dated ones, of
    `pictures` different pictures; `group`: the number of the accounts that links hold together, the largest is 1."""

    platform: str
    account: str
    posts: int
    pictures: int
    first_posted: datetime
    group: int


@dataclass(frozen=True, slots=True)
class AccountLink:
    """Two accounts, by their places in `accounts`, that shared `shared` pictures within the window.

    Attributes:
        seconds_apart: the median time between their posts of a picture.
        first_to_post: the place of the account that posted earlier more often; null where neither did.
        p: how likely chance gives so many, 0 to 1. `q`: the same, corrected for all pairs of accounts that posted often
            enough (Benjamini and Hochberg, 1995); links have at most 0.05.
        pictures: SHA-256 of one image of each shared picture, at most 12.
    """

    a: int
    b: int
    shared: int
    seconds_apart: float
    first_to_post: int | None
    p: float
    q: float
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountLinks:
    """The links that chance does not explain, the strongest first.

    Attributes:
        posts: dated posts by accounts that were compared, of `pictures` different pictures.
        tested: pairs of accounts that shared enough pictures to be tested.
        left_out: pictures that too many accounts shared to tell anything of two of them.
        shuffles: random assignments that each pair was compared with.
        statement: what a link means, and what not.
    """

    accounts: tuple[LinkedAccount, ...]
    links: tuple[AccountLink, ...]
    posts: int
    pictures: int
    tested: int
    left_out: int
    shuffles: int
    statement: str = STATEMENT


def account_links(catalog: Catalog, settings: Settings, question: AccountQuestion) -> AccountLinks:
    """The accounts that shared the same pictures within the window, as far as chance does not explain it.

    Raises:
        UsageError: the window or the fewest shared pictures are out of range, or there are too many posts at once.
    """
    dated, shares = dated_shares(catalog, settings, question)
    telling, left_out = _telling(shares)
    pairs = close_pairs(telling, 60 * question.window_minutes)
    if len(pairs.first) > _MOST_PAIRS:
        raise UsageError("too many posts are that near to each other: take a shorter window, or narrow the times")
    return _links(dated, shares, telling, pairs, question, left_out)


def dated_shares(catalog: Catalog, settings: Settings, question: AccountQuestion) -> tuple[list[Post], Shares]:
    """The posts that a question is about, and the same as arrays; errors as of `account_links`."""
    if not 1 <= question.window_minutes <= 7 * 24 * 60 or not 1 <= question.min_shared <= 1_000:
        raise UsageError("the window is 1 minute to 7 days (10080), and the fewest shared pictures 1 to 1000")
    if not 1 <= question.shuffles <= 99_999:
        raise UsageError("the number of shuffles is 1 to 99999")
    with catalog.reading() as session:
        dated = posts.dated(session, question.images, MOST_POSTS)
        verified = posts.verified_pairs(session, [post.image_id for post in dated])
    if len(dated) > MOST_POSTS:
        raise UsageError(
            f"there are more than {MOST_POSTS:,} dated posts: narrow the times, the platform or the campaign"
        )
    return dated, shares_of(
        dated,
        verified,
        max_distance=settings.same_picture_max_distance,
        min_quality=settings.pdq_min_quality,
        threads=thread_count(settings.threads),
    )


def _telling(shares: Shares) -> tuple[Shares, int]:
    """The posts of pictures that not too many accounts shared, and how many pictures are left out."""
    per_picture = np.unique(np.stack([shares.picture, shares.account], axis=1), axis=0)[:, 0]
    counts = np.bincount(per_picture, minlength=shares.pictures)
    common = counts > _MOST_ACCOUNTS_OF_A_PICTURE
    return shares.rows(~common[shares.picture]), int(common.sum())


def _links(
    dated: list[Post], every: Shares, shares: Shares, pairs: ClosePairs, question: AccountQuestion, left_out: int
) -> AccountLinks:
    edges, weights = np.unique(_shared(shares, pairs, shares.account), return_counts=True)
    enough = weights >= question.min_shared
    edges, weights = edges[enough], weights[enough]
    p = _by_chance(shares, pairs, edges, weights, question)
    able = int(np.count_nonzero(np.bincount(shares.account, minlength=1) >= question.min_shared))
    q = _corrected(p, max(len(edges), able * (able - 1) // 2))
    holding = np.flatnonzero(q <= SIGNIFICANT)
    holding = holding[np.lexsort((edges[holding], p[holding], -weights[holding]))]
    groups = _groups([divmod(edge, len(shares.accounts)) for edge in edges[holding].tolist()])
    accounts = sorted(groups, key=lambda number: (groups[number], number))
    place = {number: row for row, number in enumerate(accounts)}
    evidence = _evidence(dated, shares, pairs, edges[holding])
    return AccountLinks(
        accounts=tuple(_account(every, number, groups[number]) for number in accounts),
        links=tuple(
            _link(place, divmod(int(edges[row]), len(shares.accounts)), int(weights[row]), float(p[row]), float(q[row]),
                  evidence[int(edges[row])])
            for row in holding.tolist()
        ),
        posts=len(every.picture),
        pictures=every.pictures,
        tested=len(edges),
        left_out=left_out,
        shuffles=question.shuffles if len(edges) else 0,
    )  # fmt: skip


def _shared(shares: Shares, pairs: ClosePairs, account: Numbers, among: Numbers | None = None) -> Numbers:
    """A number for each pair of accounts, as often as they shared a different picture within the window: the smaller
    account times their count plus the other. `account` [N] says who made each post; `among`: only these numbers."""
    one, other = account[pairs.first], account[pairs.second]
    edge = np.minimum(one, other) * len(shares.accounts) + np.maximum(one, other)
    kept = one != other
    if among is not None:
        place = np.searchsorted(among, edge).clip(max=max(0, len(among) - 1))
        kept &= among[place] == edge
    of_picture = edge[kept] * shares.pictures + shares.picture[pairs.first[kept]]
    return np.asarray(np.unique(of_picture) // max(1, shares.pictures), np.int64)


def _by_chance(
    shares: Shares, pairs: ClosePairs, edges: Numbers, weights: Numbers, question: AccountQuestion
) -> npt.NDArray[np.float64]:
    """How likely each pair of accounts shares so many pictures by chance: the tail of a Poisson distribution whose mean
    is that of the shuffles. One picture is added to their sum, so that what no shuffle showed is not impossible."""
    if not len(edges):
        return np.empty(0)
    rng = np.random.default_rng(question.seed)
    platform = np.unique([name for name, _ in shares.accounts], return_inverse=True)[1][shares.account]
    strata = [np.flatnonzero(platform == number) for number in np.unique(platform)]
    total = np.zeros(len(edges), np.int64)
    shuffled = shares.account.copy()
    for _ in range(question.shuffles):
        for rows in strata:
            shuffled[rows] = rng.permutation(shares.account[rows])
        seen, counts = np.unique(_shared(shares, pairs, shuffled, edges), return_counts=True)
        total[np.searchsorted(edges, seen)] += counts
    return np.asarray(poisson.sf(weights - 1, (total + 1) / (question.shuffles + 1)), np.float64)


def _corrected(p: npt.NDArray[np.float64], tests: int) -> npt.NDArray[np.float64]:
    """Benjamini and Hochberg's correction (1995) of the smallest `p` [E] of `tests` tests: the others, of pairs that
    shared too few pictures to be looked at, are taken as 1."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * tests / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return q


def _groups(edges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The number of the group of each linked account: 1 is the largest, of equal ones that of the first account."""
    graph = nx.Graph(edges)
    components = sorted((sorted(part) for part in nx.connected_components(graph)), key=lambda part: (-len(part), part))
    return {account: number for number, part in enumerate(components, start=1) for account in part}


@dataclass(frozen=True, slots=True)
class _Evidence:
    """How far apart two accounts posted, which was earlier more often, and a SHA-256 of each shared picture."""

    seconds_apart: float
    earlier: int | None
    pictures: tuple[str, ...]


def _evidence(dated: list[Post], shares: Shares, pairs: ClosePairs, edges: Numbers) -> dict[int, _Evidence]:
    one, other = shares.account[pairs.first], shares.account[pairs.second]
    edge = np.minimum(one, other) * len(shares.accounts) + np.maximum(one, other)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(np.isin(edge, edges)).tolist():
        rows_of[int(edge[row])].append(row)
    evidence = {}
    for number, rows in rows_of.items():
        first, second = pairs.first[rows], pairs.second[rows]  # the first is the earlier
        apart = shares.seconds[second] - shares.seconds[first]
        smaller = number // len(shares.accounts)
        leads = int(np.sign((np.where(shares.account[first] == smaller, 1, -1) * (apart > 0)).sum()))
        shown = {int(shares.picture[row]): dated[int(shares.post[row])].sha256 for row in reversed(first.tolist())}
        evidence[number] = _Evidence(
            float(np.median(apart)),
            None if not leads else smaller if leads > 0 else number % len(shares.accounts),
            tuple(shown[picture] for picture in sorted(shown))[:_PICTURES_OF_A_LINK],
        )
    return evidence


def _account(shares: Shares, number: int, group: int) -> LinkedAccount:
    rows = np.flatnonzero(shares.account == number)
    platform, name = shares.accounts[number]
    return LinkedAccount(
        platform,
        name,
        posts=len(rows),
        pictures=len(np.unique(shares.picture[rows])),
        first_posted=datetime.fromtimestamp(int(shares.seconds[rows].min()), UTC),
        group=group,
    )


def _link(
    place: dict[int, int], edge: tuple[int, int], shared: int, p: float, q: float, evidence: _Evidence
) -> AccountLink:
    a, b = edge
    return AccountLink(
        a=place[a],
        b=place[b],
        shared=shared,
        seconds_apart=evidence.seconds_apart,
        first_to_post=None if evidence.earlier is None else place[evidence.earlier],
        p=p,
        q=q,
        pictures=evidence.pictures,
    )
