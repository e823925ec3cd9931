"""Altered copies among known fakes: pairs that the copy index, shared local features or near PDQ hashes suggest,
verified as a search does, by features that lie alike and pixels that agree. A pair that only shares a part is no copy,
and is not linked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np

from indexer.campaigns.grouping.evidence import COMPARABLE_FAKES, KnownFakes
from indexer.campaigns.grouping.graph import LinkKind, Links, links, pieces
from indexer.catalog.copies import local_features
from indexer.catalog.database import Catalog
from indexer.catalog.watches import arrivals
from indexer.copies.features import FEATURES_FINGERPRINT, LocalFeatures, QueryFeatures, readable
from indexer.copies.verification.overlap import NEAR_BITS, Overlap
from indexer.copies.verification.thumbnails import KnownPairs, KnownPicture
from indexer.imaging.content import has_few_tones
from indexer.index import SearchIndex
from indexer.index.view import IndexView
from indexer.vocabulary import Progress, Relation

BITS: Final = 32
"""The PDQ distance that a verified copy counts as: it is one beyond those that PDQ finds."""
_NEIGHBOURS: Final = 8
"""Most pictures that one is compared with."""
_ASKED_BY_FEATURES: Final = 5_000
"""Up to how many pictures each is also searched by its features, which takes milliseconds for each."""
_AT_ONCE: Final = 256

Verified: TypeAlias = Mapping[tuple[int, int], Overlap]
"""What was verified, by the numbers of both fakes, the smaller first; the first is the query."""


def verified_copies(
    fakes: KnownFakes, copies: Links, catalog: Catalog, index: SearchIndex, pairs: KnownPairs, progress: Progress
) -> Verified:
    """The pairs of fakes that are altered copies of each other, without those that PDQ links already.

    Args:
        fakes: all known fakes.
        copies: the links that PDQ gives; of copies of one picture the first is compared with other pictures.
        catalog: keeps the local features.
        index: finds the candidates.
        pairs: compares their pixels.
        progress: hears of the step "verifying copies", in pictures.
    """
    view = index.view()
    if (view.copies is None and view.features is None) or len(fakes) < 2:
        return {}
    picture = pieces(len(fakes), copies)
    asking = np.unique(picture, return_index=True)[1].tolist()
    progress("verifying copies", 0, len(asking))
    near = _by_copy_index(fakes, view, {*asking})
    verified: dict[tuple[int, int], Overlap] = {}

    def picture_of(number: int, size: tuple[int, int]) -> KnownPicture:
        pdq = _hash_of(fakes, number)
        return KnownPicture(fakes.digest(number), size, () if pdq is None else (pdq,))

    for start in range(0, len(asking), _AT_ONCE):
        block = asking[start : start + _AT_ONCE]
        details = _details(fakes, catalog, block)
        if len(asking) <= _ASKED_BY_FEATURES and view.features is not None:
            _by_features(fakes, view, details, near)
            _by_hash(fakes, view, details, near)
        others = {number: sorted(near.get(number, set()))[: 2 * _NEIGHBOURS] for number in details}
        others = {
            number: [near_id for near_id in some if picture[near_id] != picture[number]]
            for number, some in others.items()
        }
        known = _details(fakes, catalog, sorted({near_id for some in others.values() for near_id in some}))
        for number, overlap, other in _compared(details, known, others, pairs, picture_of):
            pair = (min(number, other), max(number, other))
            if pair not in verified:
                verified[pair] = overlap
        progress("verifying copies", start + len(block), len(asking))
    return verified


def verified_for(
    catalog: Catalog, index: SearchIndex, pairs: KnownPairs, image_ids: Sequence[int]
) -> dict[int, dict[int, Overlap]]:
    """The known fakes that some images are altered copies of, by their internal ids."""
    view = index.view()
    if view.features is None:
        return {}
    details = _by_id(catalog, image_ids)
    with catalog.reading() as session:
        pdq = {image.id: image.pdq for image in arrivals.images(session, list(details)) if _tells(image.content)}
    others: dict[int, list[int]] = {}
    for image_id, features in details.items():
        near = [near_id for near_id, _ in view.features_near(QueryFeatures.of(features), _NEIGHBOURS, COMPARABLE_FAKES)]
        if image_id in pdq:
            near += _near_by_hash(view, pdq[image_id])
        others[image_id] = [near_id for near_id in dict.fromkeys(near) if near_id != image_id]
    known = _by_id(catalog, sorted({near_id for some in others.values() for near_id in some}))
    with catalog.reading() as session:
        images = {image.id: image for image in arrivals.images(session, [*details, *known])}
    details = {image_id: features for image_id, features in details.items() if image_id in images}
    known = {image_id: features for image_id, features in known.items() if image_id in images}

    def picture_of(image_id: int, size: tuple[int, int]) -> KnownPicture:
        image = images[image_id]
        return KnownPicture(image.sha256, size, (image.pdq,) if _tells(image.content) else ())

    verified: dict[int, dict[int, Overlap]] = defaultdict(dict)
    for image_id, overlap, other in _compared(details, known, others, pairs, picture_of):
        verified[image_id][other] = overlap
    return verified


def verified_links(verified: Verified) -> Links:
    """The pairs as links between copies of one picture; `distance` in bits of PDQ, the same for all."""
    pairs = [*verified]
    kinds = [
        LinkKind.VERIFIED_COPY_MIRRORED if overlap.mirrored else LinkKind.VERIFIED_COPY for overlap in verified.values()
    ]
    return links(
        [first for first, _ in pairs],
        [second for _, second in pairs],
        np.full(len(pairs), float(BITS)),
        np.array(kinds, np.uint8),
    )


def _by_copy_index(fakes: KnownFakes, view: IndexView, asking: set[int]) -> dict[int, set[int]]:
    """The nearest fakes of each by copy embedding."""
    near: dict[int, set[int]] = defaultdict(set)
    neighbours = view.copy_neighbours(_NEIGHBOURS, COMPARABLE_FAKES)
    if neighbours is None or not len(neighbours.ids):
        return near
    first = fakes.numbers(neighbours.ids).tolist()
    second = fakes.numbers(neighbours.neighbours.reshape(-1)).reshape(len(first), -1).tolist()
    for number, others in zip(first, second, strict=True):
        if number in asking:
            near[number].update(other for other in others if other >= 0)
    return near


def _by_features(
    fakes: KnownFakes, view: IndexView, details: Mapping[int, LocalFeatures], near: dict[int, set[int]]
) -> None:
    """Adds the fakes that share local features with each picture."""
    for number, features in details.items():
        hits = view.features_near(QueryFeatures.of(features), _NEIGHBOURS, COMPARABLE_FAKES)
        others = fakes.numbers(np.array([image_id for image_id, _ in hits], np.int64)).tolist()
        near.setdefault(number, set()).update(other for other in others if other >= 0 and other != number)


def _by_hash(
    fakes: KnownFakes, view: IndexView, details: Mapping[int, LocalFeatures], near: dict[int, set[int]]
) -> None:
    """Adds the fakes whose PDQ hashes are near enough for pixels to prove a copy."""
    for number in details:
        pdq = _hash_of(fakes, number)
        if pdq is not None:
            others = fakes.numbers(np.array(_near_by_hash(view, pdq), np.int64)).tolist()
            near.setdefault(number, set()).update(other for other in others if other >= 0 and other != number)


def _near_by_hash(view: IndexView, pdq: bytes) -> list[int]:
    hits = sorted(view.same_picture([pdq], NEAR_BITS, COMPARABLE_FAKES), key=lambda hit: (hit.distance, hit.image_id))
    return [hit.image_id for hit in hits[:_NEIGHBOURS]]


def _hash_of(fakes: KnownFakes, number: int) -> bytes | None:
    """The PDQ hash of a fake, None where a near one proves nothing."""
    content = int(fakes.columns.content[number])
    comparable = bool(fakes.comparable[number]) and _tells(None if content < 0 else content)
    return fakes.columns.pdq[number].tobytes() if comparable else None


def _tells(content: int | None) -> bool:
    return not has_few_tones(content)


def _details(fakes: KnownFakes, catalog: Catalog, numbers: Sequence[int]) -> dict[int, LocalFeatures]:
    """The features of fakes by number, of those that have readable ones."""
    number_of = {int(fakes.columns.ids[number]): number for number in numbers}
    return {number_of[image_id]: features for image_id, features in _by_id(catalog, list(number_of)).items()}


def _by_id(catalog: Catalog, image_ids: Sequence[int]) -> dict[int, LocalFeatures]:
    """The features of images by internal id, of those that have readable ones; one statement."""
    with catalog.reading() as session:
        codes = local_features.of(session, FEATURES_FINGERPRINT, image_ids)
    read = ((image_id, readable(packed, f"image {image_id}")) for image_id, packed in sorted(codes.items()))
    return {image_id: features for image_id, features in read if features is not None}


def _compared(
    details: Mapping[int, LocalFeatures],
    known: Mapping[int, LocalFeatures],
    others: Mapping[int, Sequence[int]],
    pairs: KnownPairs,
    picture_of: Callable[[int, tuple[int, int]], KnownPicture],
) -> Iterator[tuple[int, Overlap, int]]:
    """The pairs that are the same picture; `picture_of` tells what is compared of an image whose picture has a size."""
    from indexer.copies.verification.verifying import verify_all  # loads OpenCV

    for number, features in details.items():
        some = [other for other in others[number] if other in known]
        overlaps = verify_all(QueryFeatures.of(features), [known[other] for other in some])
        own = picture_of(number, features.size)
        for other, overlap in zip(some, overlaps, strict=True):
            decided = pairs.decided(own, picture_of(other, known[other].size), overlap)
            if decided is not None and decided.relation is Relation.SAME_PICTURE:
                yield number, decided, other
