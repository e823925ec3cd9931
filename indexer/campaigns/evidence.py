"""Reading the evidence between known fakes from catalogue and index, as links between numbered images."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from indexer.campaigns.graph import Ints, Links, cosine_distance, links, pieces
from indexer.campaigns.recipes import Recipe, recipe_of
from indexer.catalog import embeddings, images
from indexer.catalog.database import Catalog
from indexer.catalog.records import ImageDetails, ImageFilter
from indexer.imaging.hashing import hamming
from indexer.index import SearchIndex
from indexer.settings import Settings
from indexer.vocabulary import LabelValue

KNOWN_FAKES = ImageFilter(label=LabelValue.FAKE)
_AT_ONCE = 512
_MOST_NEIGHBOURS = 200
_EVERY_OTHER_COLUMN = 0b01010101

T = TypeVar("T")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Copies:
    """Links between copies of one picture, `distance` in PDQ bits of 256; `mirrored` holds those pairs (first, second)
    that are near only when one is mirrored."""

    links: Links
    mirrored: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Fake:
    """A known fake, as far as clustering looks at it. `pdq` is None where the hash is of too low quality, `recipe`
    where the file does not say how it was generated."""

    image_id: int
    sha256: str
    pdq: bytes | None
    pixels: int
    first_seen: datetime | None
    recipe: Recipe | None


def known_fakes(catalog: Catalog, settings: Settings, progress: Progress) -> tuple[Fake, ...]:
    """All images whose current label is fake, by SHA-256: in an order that does not depend on when they came."""
    with catalog.reading() as session:
        ids = images.matching_ids(session, KNOWN_FAKES).tolist()
        found: list[Fake] = []
        for block in _blocks(ids):
            known = images.details(session, block)
            found += [_fake(image_id, details, settings.pdq_min_quality) for image_id, details in known.items()]
            progress("reading known fakes", len(found), len(ids))
    return tuple(sorted(found, key=lambda fake: fake.sha256))


def _fake(image_id: int, details: ImageDetails, min_quality: int) -> Fake:
    image = details.image
    posted = [sighting.posted_at for sighting in details.sightings if sighting.posted_at is not None]
    return Fake(
        image_id=image_id,
        sha256=image.sha256,
        pdq=bytes.fromhex(image.pdq) if image.pdq_quality >= min_quality else None,
        pixels=image.width * image.height,
        first_seen=min(posted, default=None),
        recipe=recipe_of(details.provenance),
    )


def copy_links(fakes: Sequence[Fake], index: SearchIndex, settings: Settings, progress: Progress) -> Copies:
    """Links between fakes whose PDQ hashes are near, as they are or mirrored."""
    number = {fake.image_id: place for place, fake in enumerate(fakes)}
    hashed = [(place, fake.pdq) for place, fake in enumerate(fakes) if fake.pdq is not None]
    found: tuple[list[tuple[int, int, int]], ...] = ([], [])
    done = 0
    for block in _blocks(hashed):
        for mirrored, links_found in enumerate(found):
            hashes = [_mirrored(pdq) if mirrored else pdq for _, pdq in block]
            for hit in index.same_picture(hashes, settings.same_picture_max_distance, KNOWN_FAKES):
                if hit.image_id in number:
                    links_found.append((block[hit.query_index][0], number[hit.image_id], hit.distance))
        done += len(block)
        progress("comparing PDQ hashes", done, len(hashed))
    plain, turned = (links(*np.array(one, np.int64).reshape(-1, 3).T) for one in found)
    known = set(zip(plain.first.tolist(), plain.second.tolist(), strict=True))
    pairs = zip(turned.first.tolist(), turned.second.tolist(), strict=True)
    turned = turned.only(np.array([pair not in known for pair in pairs], np.bool_))
    every = links(
        np.concatenate([plain.first, turned.first]),
        np.concatenate([plain.second, turned.second]),
        np.concatenate([plain.distance, turned.distance]),
    )
    return Copies(every, frozenset(zip(turned.first.tolist(), turned.second.tolist(), strict=True)))


def _mirrored(pdq: bytes) -> bytes:
    """About the PDQ hash of the mirrored picture: mirroring turns the sign of every other column of PDQ's 16 x 16
    cosine transform, and a bit says whether a coefficient is above the median, which is near zero.

    On 60 pictures this is 18 bits (median; 28 at the 90th percentile) from the hash of the really mirrored, re-encoded
    picture; of 449 different pictures the nearest two so compared are 78 bits apart.
    """
    return bytes(byte ^ _EVERY_OTHER_COLUMN for byte in pdq)


def embedding_links(
    fakes: Sequence[Fake], copies: Copies, index: SearchIndex, settings: Settings, progress: Progress
) -> Links:
    """Links of each fake to its nearest fakes by embedding; `distance` is 1 - cosine.

    Copies of one picture crowd each other's lists of neighbours; so as many more are asked for as the most often
    re-shared picture has copies.
    """
    if len(fakes) < 2:
        return links([], [], [])
    crowd = int(np.bincount(pieces(len(fakes), copies.links)).max()) - 1
    wanted = min(settings.campaign_neighbours + crowd, _MOST_NEIGHBOURS)
    progress("comparing embeddings", 0, len(fakes))
    found = index.neighbours(wanted, KNOWN_FAKES)
    progress("comparing embeddings", len(fakes), len(fakes))
    rows = _numbers(fakes, found.ids)
    columns = _numbers(fakes, found.neighbours.reshape(-1))
    first = np.repeat(rows, found.neighbours.shape[1])
    known = (first >= 0) & (columns >= 0)
    return links(first[known], columns[known], cosine_distance(found.cosines.reshape(-1)[known]))


def embedding_cohesion(catalog: Catalog, fingerprint: str, members: Sequence[Fake], exemplars: Sequence[Fake]) -> float:
    """Mean cosine of members to their nearest exemplar, -1 to 1; 1 where there is nothing to compare.

    Exemplars are not compared with themselves.
    """
    standing = {fake.image_id for fake in exemplars}
    others = [fake.image_id for fake in members if fake.image_id not in standing]
    cosines: list[float] = []
    with catalog.reading() as session:
        models = embeddings.vectors(session, fingerprint, sorted(standing))
        for block in _blocks(others if models else []):
            vectors = embeddings.vectors(session, fingerprint, block)
            matrix = np.stack(list(models.values()))
            cosines += [float((matrix @ vector).max()) for vector in vectors.values()]
    return _mean(cosines)


def hash_cohesion(members: Sequence[Fake], exemplars: Sequence[Fake]) -> float:
    """The same of PDQ hashes, read as vectors of +1 and -1: 1 - distance / 128, mirrored where that is nearer."""
    standing = {fake.image_id for fake in exemplars}
    models = [fake.pdq for fake in exemplars if fake.pdq is not None]
    others = [fake.pdq for fake in members if fake.pdq is not None and fake.image_id not in standing]
    nearest = [
        min(hamming(turned, model) for model in models for turned in (other, _mirrored(other)))
        for other in (others if models else [])
    ]
    return _mean([1.0 - bits / 128 for bits in nearest])


def _mean(cosines: Sequence[float]) -> float:
    return round(float(np.mean(sorted(cosines))), 6) if cosines else 1.0


def _numbers(fakes: Sequence[Fake], image_ids: npt.NDArray[np.int64]) -> Ints:
    """The number of the fake with each of these ids [N], -1 for images that are none."""
    order = np.argsort(np.array([fake.image_id for fake in fakes], np.int64))
    ids = np.array([fakes[place].image_id for place in order], np.int64)
    place = np.minimum(np.searchsorted(ids, image_ids), len(ids) - 1)
    return np.where(ids[place] == image_ids, order[place], -1)


def _blocks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
