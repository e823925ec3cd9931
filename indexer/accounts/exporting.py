"""Account links for other programs: GEXF and GraphML for graphs, and the four columns that CooRTweet reads."""

import csv
import io
from enum import StrEnum
from typing import Final

import networkx as nx

from indexer.accounts.links import AccountLinks
from indexer.accounts.sharing import Shares
from indexer.catalog.images.posts import Post

_SPREADSHEET_COMMANDS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a cell for that begins with it."""


class GraphFormat(StrEnum):
    """`gexf`: Gephi; `graphml`: most graph programs; `coortweet`: a CSV of every post, for CooRTweet."""

    GEXF = "gexf"
    GRAPHML = "graphml"
    COORTWEET = "coortweet"


MEDIA_TYPES: Final = {
    GraphFormat.GEXF: "application/gexf+xml",
    GraphFormat.GRAPHML: "application/graphml+xml",
    GraphFormat.COORTWEET: "text/csv; charset=utf-8",
}


def graph_of(links: AccountLinks) -> "nx.Graph[str]":
    """The linked accounts as a graph: nodes by their places, with name and platform, edges with what was measured."""
    graph: nx.Graph[str] = nx.Graph()
    for place, account in enumerate(links.accounts):
        graph.add_node(
            str(place),
            label=_legal(account.account),
            platform=_legal(account.platform),
            posts=account.posts,
            pictures=account.pictures,
            group=account.group,
        )
    for link in links.links:
        graph.add_edge(
            str(link.a), str(link.b), weight=link.shared, seconds_apart=link.seconds_apart, p=link.p, q=link.q
        )
    return graph


def exported(links: AccountLinks, format: GraphFormat) -> bytes:
    """The links as a file of GEXF or GraphML."""
    out = io.BytesIO()
    if format is GraphFormat.GEXF:
        nx.write_gexf(graph_of(links), out, encoding="utf-8")
    else:
        nx.write_graphml(graph_of(links), out, encoding="utf-8")
    return out.getvalue()


def coortweet(shares: Shares, posts: list[Post]) -> bytes:
    """Every post as CooRTweet's columns `object_id, account_id, content_id, timestamp_share` (version 2), by time.

    Copies of one picture have one `object_id`, the SHA-256 of the first of them that was posted; times are in Unix
    seconds.
    """
    first: dict[int, str] = {}
    for picture, row in zip(shares.picture.tolist(), shares.post.tolist(), strict=True):
        first.setdefault(picture, posts[row].sha256)
    rows = sorted(
        (int(seconds), posts[post].sighting_id, picture, post)
        for picture, seconds, post in zip(
            shares.picture.tolist(), shares.seconds.tolist(), shares.post.tolist(), strict=True
        )
    )
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("object_id", "account_id", "content_id", "timestamp_share"))
    for seconds, sighting, picture, post in rows:
        account = f"{posts[post].platform}/{posts[post].account}".lstrip("/")
        writer.writerow((first[picture], _cell(account), f"sighting-{sighting}", seconds))
    return out.getvalue().encode()


def _cell(text: str) -> str:
    """Text that no spreadsheet runs."""
    return f"'{text}" if text.startswith(_SPREADSHEET_COMMANDS) else text


def _legal(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(letter for letter in text if letter in "\t\n\r" or (ord(letter) >= 32 and not _not_xml(ord(letter))))


def _not_xml(number: int) -> bool:
    return 0xD800 <= number <= 0xDFFF or number in (0xFFFE, 0xFFFF)
