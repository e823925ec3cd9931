"""Reading the evidence between known fakes from catalogue and index, as links between numbered images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, overload

import numpy as np
import numpy.typing as npt

from indexer.campaigns.grouping.copies import copies_among, mirrored
from indexer.campaigns.grouping.graph import Ints, Links, cosine_distance, links, pieces, united
from indexer.campaigns.grouping.recipes import Recipe, recipe_in
from indexer.catalog.database import Catalog
from indexer.catalog.images import columns
from indexer.catalog.images.columns import ImageColumns
from indexer.catalog.records.filters import ImageFilter
from indexer.imaging.content import BARE, FEW_TONES, TOO_LITTLE, has_too_little
from indexer.imaging.degenerate import saying_nothing
from indexer.imaging.hashing import hamming
from indexer.index import SearchIndex
from indexer.settings import Settings
from indexer.threads import thread_count
from indexer.verdict.relations import BARE_APART, FAR_APART
from indexer.vocabulary import LabelValue, Progress

KNOWN_FAKES = ImageFilter(label=LabelValue.FAKE)
COMPARABLE_FAKES = replace(KNOWN_FAKES, least_content=TOO_LITTLE)
"""Those whose embeddings say anything: blank ones would take the place of the nearest."""
_AT_ONCE = 512
_MOST_NEIGHBOURS = 200
_COMPARED = 64
"""Most members of a campaign whose cohesion is measured: of more, evenly spread ones."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fake:
    """The fields of a known fake that clustering uses. `pdq` is None where the hash is of too low quality, `recipe`
    where the file does not say how it was generated."""

    image_id: int
    sha256: str
    pdq: bytes | None
    pixels: int
    first_seen: datetime | None
    recipe: Recipe | None


@dataclass(frozen=True, slots=True, eq=False)
class KnownFakes(Sequence[Fake]):
    """All known fakes, sorted by SHA-256, held as arrays; a single one is returned as a `Fake`.

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
    def __getitem__(self, index: int) -> Fake: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Fake]: ...
    def __getitem__(self, index: int | slice) -> Fake | Sequence[Fake]:
        """One known fake, or several."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return Fake(
            image_id=int(self.columns.ids[number]),
            sha256=self.columns.sha256[number].decode(),
            pdq=self.columns.pdq[number].tobytes() if self.comparable[number] else None,
            pixels=int(self.columns.pixels[number]),
            first_seen=self.first_seen.get(number),
            recipe=self.recipes.get(number),
        )

    def digest(self, index: int) -> str:
        """The SHA-256 of one."""
        return self.columns.sha256[index].decode()  # type: ignore[no-any-return]

    def digests(self) -> list[str]:
        """The SHA-256 of all."""
        return self.columns.sha256.astype("U64").tolist()  # type: ignore[no-any-return]

    def numbers(self, image_ids: npt.NDArray[np.int64]) -> Ints:
        """The number of the fake with each of these ids [M], -1 for images that are none."""
        if not len(self):
            return np.full(len(image_ids), -1, np.int64)
        order = np.argsort(self.columns.ids)
        ids = self.columns.ids[order]
        positions = np.minimum(np.searchsorted(ids, image_ids), len(ids) - 1)
        return np.where(ids[positions] == image_ids, order[positions], -1)


def known_fakes(catalog: Catalog, settings: Settings, progress: Progress) -> KnownFakes:
    """All images whose current label is fake, sorted by SHA-256 so that the order does not depend on when they were
    added. Reads only the columns it needs: about 120 bytes per image.
    """
    parts: list[ImageColumns] = []
    with catalog.reading() as session:
        read = 0
        for part in columns.image_columns(session, KNOWN_FAKES):
            parts.append(part)
            read += len(part.ids)
            progress("reading known fakes", read, read + 1)
        table = columns.joined(parts)
        fakes = KnownFakes(table, _comparable(table, settings.pdq_min_quality), {}, {})
        dated = dict(columns.first_posted(session, KNOWN_FAKES))
        recipes: dict[int, Recipe] = {}
        for image_id, model_hash, fields in columns.named_models(session, KNOWN_FAKES):
            recipe = recipe_in(model_hash, fields)
            if recipe is not None:
                recipes.setdefault(image_id, recipe)
    progress("reading known fakes", read, read)
    return KnownFakes(table, fakes.comparable, _by_number(fakes, dated), _by_number(fakes, recipes))


def _comparable(table: ImageColumns, min_quality: int) -> npt.NDArray[np.bool_]:
    usable = (table.pdq_quality >= min_quality) & ~_blank(table)
    usable[usable] = ~saying_nothing(table.pdq[usable])
    return np.asarray(usable)


def _blank(table: ImageColumns) -> npt.NDArray[np.bool_]:
    """Which images have too little content to be compared."""
    pairs = zip(table.content.tolist(), table.pdq_quality.tolist(), strict=True)
    return np.array([has_too_little(None if content < 0 else content, quality) for content, quality in pairs], np.bool_)


def _by_number(fakes: KnownFakes, by_id: dict[int, T]) -> dict[int, T]:
    numbers = fakes.numbers(np.fromiter(by_id, np.int64, len(by_id))).tolist()
    return {number: value for number, value in zip(numbers, by_id.values(), strict=True) if number >= 0}


def copy_links(fakes: KnownFakes, settings: Settings, progress: Progress) -> Links:
    """Links between fakes whose PDQ hashes are near, as they are or mirrored; `distance` in bits of 256."""
    hashed = np.flatnonzero(fakes.comparable)
    progress("comparing PDQ hashes", 0, len(hashed))
    hashes = np.ascontiguousarray(fakes.columns.pdq[hashed])
    near = copies_among(hashes, settings.same_picture_max_distance, thread_count(settings.threads))
    progress("comparing PDQ hashes", len(hashed), len(hashed))
    return links(hashed[near.first], hashed[near.second], near.distance, near.kind)


def embedding_links(
    fakes: KnownFakes, copies: Links, index: SearchIndex, settings: Settings, bound: float, progress: Progress
) -> Links:
    """Links of each fake to its nearest fakes by embedding; `distance` is 1 - cosine, at most `bound`.

    Copies of one picture fill each other's neighbour lists. Where every neighbour of a picture is one of its own
    copies, one copy is searched again with as many extra neighbours as there are copies.
    """
    if len(fakes) < 2:
        return links([], [], [])
    progress("comparing embeddings", 0, len(fakes))
    neighbours = index.neighbours(settings.campaign_neighbours, COMPARABLE_FAKES)
    first = np.repeat(fakes.numbers(neighbours.ids), neighbours.neighbours.shape[1])
    second = fakes.numbers(neighbours.neighbours.reshape(-1))
    near = _links_of(fakes, first, second, neighbours.cosines.reshape(-1), bound)
    crowded = _crowded(len(fakes), copies, first, second)
    more = [_more_neighbours(fakes, block, index, bound) for block in _blocks(crowded.tolist())]
    progress("comparing embeddings", len(fakes), len(fakes))
    return united(near, *more) if more else near


def _links_of(fakes: KnownFakes, first: Ints, second: Ints, cosines: npt.NDArray[np.float32], bound: float) -> Links:
    distances = cosine_distance(cosines)
    close = (first >= 0) & (second >= 0) & (distances <= bound)
    close[close] = _embeddings_tell(fakes.columns, first[close], second[close])
    return links(first[close], second[close], distances[close])


def _embeddings_tell(table: ImageColumns, first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
    """Whether the cosine of each pair is meaningful; the same rule as `indexer.verdict.relations.embeddings_tell`."""
    blank, few = _blank(table), (table.content >= 0) & (table.content < FEW_TONES)
    bound = np.where(few & (table.content < BARE), BARE_APART, FAR_APART)
    telling = ~(blank[first] | blank[second])
    doubtful = telling & (few[first] | few[second])
    left, right = table.pdq[first[doubtful]], table.pdq[second[doubtful]]
    plain = np.bitwise_count(left ^ right).sum(axis=1, dtype=np.int64)
    turned = np.bitwise_count(mirrored(left) ^ right).sum(axis=1, dtype=np.int64)
    telling[doubtful] = np.minimum(plain, turned) <= np.minimum(bound[first[doubtful]], bound[second[doubtful]])
    return telling


def _crowded(images: int, copies: Links, first: Ints, second: Ints) -> Ints:
    """The first image of each copied picture whose neighbours (`first` to `second` [E]; -1 is none) are all its own
    copies.
    """
    picture = pieces(images, copies)
    leaves = np.zeros(images, np.bool_)
    linked = (first >= 0) & (second >= 0)
    left, right = picture[first[linked]], picture[second[linked]]
    outward = left != right
    leaves[left[outward]] = leaves[right[outward]] = True
    representative = np.unique(picture, return_index=True)[1]
    return representative[(np.bincount(picture) > 1) & ~leaves[: len(representative)]].astype(np.int64)


def _more_neighbours(fakes: KnownFakes, places: Sequence[int], index: SearchIndex, bound: float) -> Links:
    vectors = index.vectors_of(fakes.columns.ids[np.array(places, np.int64)].tolist())
    if not vectors:
        return links([], [], [])
    asking = np.array(sorted(vectors), np.int64)
    hits = index.nearest(np.stack([vectors[number] for number in asking.tolist()]), _MOST_NEIGHBOURS, COMPARABLE_FAKES)
    first = np.repeat(fakes.numbers(asking), _MOST_NEIGHBOURS)
    return _links_of(fakes, first, fakes.numbers(hits.ids.reshape(-1)), hits.scores.reshape(-1), bound)


def embedding_cohesion(index: SearchIndex, members: Sequence[Fake], exemplars: Sequence[Fake]) -> float:
    """Mean cosine of members to their nearest exemplar, -1 to 1; 1 where there is nothing to compare.

    Exemplars are not compared with themselves; at most 64 members are sampled.
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
    """The same for PDQ hashes as vectors of +1 and -1: 1 - distance / 128, mirrored where that is nearer."""
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
    return [
        items[position]
        for position in np.unique(np.linspace(0, len(items) - 1, min(len(items), _COMPARED)).astype(int))
    ]


def _mirrored(pdq: bytes) -> bytes:
    return mirrored(np.frombuffer(pdq, np.uint8)).tobytes()


def _blocks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
