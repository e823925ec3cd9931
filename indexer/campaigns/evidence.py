"""Reading the evidence between known fakes from catalogue and index, as links between numbered images."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, overload

import numpy as np
import numpy.typing as npt

from indexer.campaigns.copies import copies_among, mirrored
from indexer.campaigns.graph import Ints, Links, cosine_distance, links, pieces, united
from indexer.campaigns.recipes import Recipe, recipe_in
from indexer.catalog import columns
from indexer.catalog.columns import ImageColumns
from indexer.catalog.database import Catalog
from indexer.catalog.records import ImageFilter
from indexer.imaging.hashing import hamming
from indexer.index import SearchIndex
from indexer.settings import Settings
from indexer.threads import thread_count
from indexer.vocabulary import LabelValue

KNOWN_FAKES = ImageFilter(label=LabelValue.FAKE)
_AT_ONCE = 512
_MOST_NEIGHBOURS = 200
_COMPARED = 64
"""Most members of a campaign whose cohesion is measured: of more, evenly spread ones."""

T = TypeVar("T")
Progress = Callable[[str, int, int], None]


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


@dataclass(frozen=True, slots=True, eq=False)
class KnownFakes(Sequence[Fake]):
    """All known fakes by SHA-256, as arrays; each as a `Fake` when asked for.

    Attributes:
        columns: [N] of each.
        comparable: [N] bool, whether the PDQ hash is of sufficient quality.
        first_seen, recipes: of those that have one, by number.
    """

    columns: ImageColumns
    comparable: npt.NDArray[np.bool_]
    first_seen: dict[int, datetime]
    recipes: dict[int, Recipe]

    def __len__(self) -> int:
        return len(self.columns.ids)

    @overload
    def __getitem__(self, place: int) -> Fake: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Fake]: ...
    def __getitem__(self, place: int | slice) -> Fake | Sequence[Fake]:
        """One known fake, or several."""
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = range(len(self))[place]
        return Fake(
            image_id=int(self.columns.ids[number]),
            sha256=self.columns.sha256[number].decode(),
            pdq=self.columns.pdq[number].tobytes() if self.comparable[number] else None,
            pixels=int(self.columns.pixels[number]),
            first_seen=self.first_seen.get(number),
            recipe=self.recipes.get(number),
        )

    def digest(self, place: int) -> str:
        """The SHA-256 of one."""
        return self.columns.sha256[place].decode()  # type: ignore[no-any-return]

    def digests(self) -> list[str]:
        """The SHA-256 of all."""
        return self.columns.sha256.astype("U64").tolist()  # type: ignore[no-any-return]

    def numbers(self, image_ids: npt.NDArray[np.int64]) -> Ints:
        """The number of the fake with each of these ids [M], -1 for images that are none."""
        if not len(self):
            return np.full(len(image_ids), -1, np.int64)
        order = np.argsort(self.columns.ids)
        ids = self.columns.ids[order]
        place = np.minimum(np.searchsorted(ids, image_ids), len(ids) - 1)
        return np.where(ids[place] == image_ids, order[place], -1)


def known_fakes(catalog: Catalog, settings: Settings, progress: Progress) -> KnownFakes:
    """All images whose current label is fake, by SHA-256: in an order that does not depend on when they came.

    Reads only the columns it needs, and holds about 120 bytes an image.
    """
    parts: list[ImageColumns] = []
    with catalog.reading() as session:
        read = 0
        for part in columns.image_columns(session, KNOWN_FAKES):
            parts.append(part)
            read += len(part.ids)
            progress("reading known fakes", read, read + 1)
        table = columns.joined(parts)
        found = KnownFakes(table, table.pdq_quality >= settings.pdq_min_quality, {}, {})
        dated = dict(columns.first_posted(session, KNOWN_FAKES))
        recipes: dict[int, Recipe] = {}
        for image_id, model_hash, fields in columns.named_models(session, KNOWN_FAKES):
            recipe = recipe_in(model_hash, fields)
            if recipe is not None:
                recipes.setdefault(image_id, recipe)
    progress("reading known fakes", read, read)
    return KnownFakes(table, found.comparable, _by_number(found, dated), _by_number(found, recipes))


def _by_number(fakes: KnownFakes, by_id: dict[int, T]) -> dict[int, T]:
    numbers = fakes.numbers(np.fromiter(by_id, np.int64, len(by_id))).tolist()
    return {number: value for number, value in zip(numbers, by_id.values(), strict=True) if number >= 0}


def copy_links(fakes: KnownFakes, settings: Settings, progress: Progress) -> Links:
    """Links between fakes whose PDQ hashes are near, as they are or mirrored; `distance` in bits of 256."""
    hashed = np.flatnonzero(fakes.comparable)
    progress("comparing PDQ hashes", 0, len(hashed))
    hashes = np.ascontiguousarray(fakes.columns.pdq[hashed])
    found = copies_among(hashes, settings.same_picture_max_distance, thread_count(settings.threads))
    progress("comparing PDQ hashes", len(hashed), len(hashed))
    return links(hashed[found.first], hashed[found.second], found.distance, found.kind)


def embedding_links(
    fakes: KnownFakes, copies: Links, index: SearchIndex, settings: Settings, bound: float, progress: Progress
) -> Links:
    """Links of each fake to its nearest fakes by embedding; `distance` is 1 - cosine, at most `bound`.

    Copies of one picture crowd each other's lists of neighbours: where all neighbours of a picture's images are its own
    copies, one of these is asked for as many more as there are copies.
    """
    if len(fakes) < 2:
        return links([], [], [])
    progress("comparing embeddings", 0, len(fakes))
    found = index.neighbours(settings.campaign_neighbours, KNOWN_FAKES)
    first = np.repeat(fakes.numbers(found.ids), found.neighbours.shape[1])
    second = fakes.numbers(found.neighbours.reshape(-1))
    near = _links_of(first, second, found.cosines.reshape(-1), bound)
    crowded = _crowded(len(fakes), copies, first, second)
    more = [_more_neighbours(fakes, block, index, bound) for block in _blocks(crowded.tolist())]
    progress("comparing embeddings", len(fakes), len(fakes))
    return united(near, *more) if more else near


def _links_of(first: Ints, second: Ints, cosines: npt.NDArray[np.float32], bound: float) -> Links:
    distances = cosine_distance(cosines)
    kept = (first >= 0) & (second >= 0) & (distances <= bound)
    return links(first[kept], second[kept], distances[kept])


def _crowded(images: int, copies: Links, first: Ints, second: Ints) -> Ints:
    """The first image of each picture of several images whose neighbours (`first` to `second` [E]; -1 is none) are all
    its own copies."""
    picture = pieces(images, copies)
    leaves = np.zeros(images, np.bool_)
    known = (first >= 0) & (second >= 0)
    one, other = picture[first[known]], picture[second[known]]
    outward = one != other
    leaves[one[outward]] = leaves[other[outward]] = True
    representative = np.unique(picture, return_index=True)[1]
    return representative[(np.bincount(picture) > 1) & ~leaves[: len(representative)]].astype(np.int64)


def _more_neighbours(fakes: KnownFakes, places: Sequence[int], index: SearchIndex, bound: float) -> Links:
    vectors = index.vectors_of(fakes.columns.ids[np.array(places, np.int64)].tolist())
    if not vectors:
        return links([], [], [])
    asking = np.array(sorted(vectors), np.int64)
    hits = index.nearest(np.stack([vectors[one] for one in asking.tolist()]), _MOST_NEIGHBOURS, KNOWN_FAKES)
    first = np.repeat(fakes.numbers(asking), _MOST_NEIGHBOURS)
    return _links_of(first, fakes.numbers(hits.ids.reshape(-1)), hits.scores.reshape(-1), bound)


def embedding_cohesion(index: SearchIndex, members: Sequence[Fake], exemplars: Sequence[Fake]) -> float:
    """Mean cosine of members to their nearest exemplar, -1 to 1; 1 where there is nothing to compare.

    Exemplars are not compared with themselves, and of very many members 64 are.
    """
    standing = {fake.image_id for fake in exemplars}
    others = _spread([fake.image_id for fake in members if fake.image_id not in standing])
    vectors = index.vectors_of([*sorted(standing), *others])
    models = [vectors[image_id] for image_id in sorted(standing) if image_id in vectors]
    compared = [vectors[image_id] for image_id in others if image_id in vectors]
    if not models or not compared:
        return 1.0
    cosines = np.stack(compared).astype(np.float64) @ np.stack(models).astype(np.float64).T
    return _mean(cosines.max(axis=1).tolist())


def hash_cohesion(members: Sequence[Fake], exemplars: Sequence[Fake]) -> float:
    """The same of PDQ hashes, read as vectors of +1 and -1: 1 - distance / 128, mirrored where that is nearer."""
    standing = {fake.image_id for fake in exemplars}
    models = [fake.pdq for fake in exemplars if fake.pdq is not None]
    others = [fake.pdq for fake in members if fake.pdq is not None and fake.image_id not in standing]
    nearest = [
        min(hamming(turned, model) for model in models for turned in (other, _mirrored(other)))
        for other in (_spread(others) if models else [])
    ]
    return _mean([1.0 - bits / 128 for bits in nearest])


def _mean(cosines: Sequence[float]) -> float:
    return round(float(np.mean(sorted(cosines))), 6) if cosines else 1.0


def _spread(items: Sequence[T]) -> list[T]:
    """Up to 64 of them, evenly spread."""
    return [items[place] for place in np.unique(np.linspace(0, len(items) - 1, min(len(items), _COMPARED)).astype(int))]


def _mirrored(pdq: bytes) -> bytes:
    return mirrored(np.frombuffer(pdq, np.uint8)).tobytes()


def _blocks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
