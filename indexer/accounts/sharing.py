"""Posts as arrays: who shared which picture when. Copies of one picture count as one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from indexer.campaigns.grouping.copies import copies_among
from indexer.catalog.images.posts import Post
from indexer.imaging.content import has_few_tones, has_too_little
from indexer.imaging.degenerate import saying_nothing

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """N posts, by picture and time.

    Attributes:
        picture: [N] int64, the number of the picture, copies of one alike; rising.
        account: [N] int64, the number of the account.
        seconds: [N] int64, Unix time; rising within a picture.
        post: [N] int64, the row in the list of posts.
        accounts: platform and name of each account, sorted.
        pictures: how many pictures there are.
    """

    picture: Numbers
    account: Numbers
    seconds: Numbers
    post: Numbers
    accounts: tuple[tuple[str, str], ...]
    pictures: int

    def rows(self, kept: npt.NDArray[np.bool_]) -> "Shares":
        """The posts that `kept` [N] says."""
        return Shares(
            self.picture[kept], self.account[kept], self.seconds[kept], self.post[kept], self.accounts, self.pictures
        )


@dataclass(frozen=True, slots=True, eq=False)
class ClosePairs:
    """M pairs of posts of one picture by different accounts within the window; `first` and `second` are rows of
    `Shares`."""

    first: Numbers
    second: Numbers


def shares_of(
    posts: Sequence[Post], verified: Sequence[tuple[int, int]], *, max_distance: int, min_quality: int, threads: int
) -> Shares:
    """The posts as arrays.

    Args:
        posts: of dated sightings with an account.
        verified: pairs of internal image ids that are altered copies of each other.
        max_distance: PDQ distance, in bits, up to which two pictures are copies.
        min_quality: PDQ quality below which a hash is not compared.
        threads: how many compare hashes.
    """
    images = {post.image_id: post for post in posts}
    ids = sorted(images)
    row_of = {image_id: row for row, image_id in enumerate(ids)}
    picture_of_image = _pictures(
        [images[image_id] for image_id in ids], row_of, verified, max_distance, min_quality, threads
    )
    accounts = sorted({(post.platform, post.account) for post in posts})
    number_of = {account: number for number, account in enumerate(accounts)}
    picture = np.array([picture_of_image[row_of[post.image_id]] for post in posts], np.int64)
    account = np.array([number_of[post.platform, post.account] for post in posts], np.int64)
    seconds = np.array([int(post.posted_at.timestamp()) for post in posts], np.int64)
    order = np.lexsort((account, seconds, picture))
    count = int(picture_of_image.max()) + 1 if len(picture_of_image) else 0
    return Shares(picture[order], account[order], seconds[order], order.astype(np.int64), tuple(accounts), count)


def close_pairs(shares: Shares, window: int) -> ClosePairs:
    """All pairs of posts of one picture by different accounts that are at most `window` seconds apart."""
    # one rising number for picture and time, pictures farther apart than any window
    span = int(shares.seconds.max(initial=0) - shares.seconds.min(initial=0)) + window + 1
    when = shares.picture * span + (shares.seconds - shares.seconds.min(initial=0))
    ends = np.searchsorted(when, when + window, side="right")
    counts = ends - np.arange(len(when)) - 1
    first = np.repeat(np.arange(len(when)), counts)
    second = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts) + first + 1
    other = shares.account[first] != shares.account[second]
    return ClosePairs(first[other], second[other])


def _pictures(
    images: Sequence[Post],
    row_of: dict[int, int],
    verified: Sequence[tuple[int, int]],
    max_distance: int,
    min_quality: int,
    threads: int,
) -> Numbers:
    """The number of the picture that each image [I] is a copy of."""
    telling = np.array(
        [
            image.pdq_quality >= min_quality
            and not has_too_little(image.content, image.pdq_quality)
            and not has_few_tones(image.content)
            for image in images
        ],
        np.bool_,
    )
    hashes = np.frombuffer(b"".join(image.pdq for image in images), np.uint8).reshape(len(images), 32)
    if len(images):
        telling &= ~saying_nothing(hashes)
    rows = np.flatnonzero(telling)
    near = copies_among(np.ascontiguousarray(hashes[rows]), max_distance, threads) if len(rows) > 1 else None
    first = [row_of[a] for a, _ in verified] + ([] if near is None else rows[near.first].tolist())
    second = [row_of[b] for _, b in verified] + ([] if near is None else rows[near.second].tolist())
    graph = csr_array((np.ones(len(first), np.int8), (first, second)), shape=(len(images), len(images)))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels, np.int64)
