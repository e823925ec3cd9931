"""What images are filtered by, of the whole catalogue, as arrays: about 60 bytes an image.

Each facet is read as lists of ids by one grouped query over an index. Ids come as text, because fetching a million rows
one by one takes ten times as long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Select, String, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from indexer.catalog.tables.campaigns import CampaignMemberRow
from indexer.catalog.tables.collections import CollectionImageRow, CollectionRow
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.provenance import ProvenanceRow
from indexer.catalog.tables.sightings import SightingRow

Ids = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
_Column = ColumnElement[Any] | InstrumentedAttribute[Any]
NONE: Final = -1
"""The code of a sighting without a platform, account or date."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Which images have which of K values: P pairs, each once, sorted by value.

    Attributes:
        names: [K], the values.
        codes: [P], of each pair the position of its value in `names`.
        images: [P], of each pair the position of its image.
        shown: other words for values, by value.
    """

    names: tuple[str, ...]
    codes: Codes
    images: Codes
    shown: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """P different pairs of a value, by its code, and an image, by its position; sorted."""

    codes: Codes
    images: Codes


@dataclass(frozen=True, slots=True, eq=False)
class Stated:
    """What S sightings state of one thing.

    Attributes:
        names: the values.
        codes: [S], of each sighting the position of its value in `names`; `NONE` where nothing is stated.
        pairs: which images have a sighting with which value.
    """

    names: tuple[str, ...]
    codes: Codes
    pairs: Pairs

    def is_value(self, value: str) -> npt.NDArray[np.bool_]:
        """[S], true at the sightings that state this value."""
        code = self.names.index(value) if value in self.names else len(self.names)
        is_it: npt.NDArray[np.bool_] = self.codes == code
        return is_it


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """S sightings by rising id.

    Attributes:
        ids: [S], internal ids.
        images: [S], positions of the images.
        months: named as 2026-03; the code 0 is the month `first_month`, which is counted as `month_of` does.
        per_image: [N], how often each image was sighted.
    """

    ids: Ids
    images: Codes
    platforms: Stated
    accounts: Stated
    months: Stated
    first_month: int
    per_image: Codes


@dataclass(frozen=True, slots=True, eq=False)
class FacetColumns:
    """`ids`: [N] int64, all images by rising id; a position of an image is its place here."""

    ids: Ids
    values: Mapping[str, Values]
    sightings: Sightings

    def mask(self, image_ids: Ids) -> npt.NDArray[np.bool_]:
        """[N], true at the images with these ids; ids that are not here are left out."""
        at, here = _positions(self.ids, image_ids)
        chosen = np.zeros(len(self.ids), np.bool_)
        chosen[at[here]] = True
        return chosen


def read(session: Session) -> FacetColumns:
    """The arrays of the catalogue as the session sees it."""
    ids = np.sort(_numbers(session.execute(select(_listed(ImageRow.id))).scalar_one()))
    of_image = (
        ("label", ImageRow.label),
        ("technique", ImageRow.technique),
        ("generator", ImageRow.generator),
        ("label_source", ImageRow.label_source),
        ("disputed", ImageRow.disputed),
    )
    statements: dict[str, Select[Any]] = {name: _grouped(column, ImageRow.id) for name, column in of_image}
    statements["collections"] = _grouped(CollectionRow.name, CollectionImageRow.image_id).join(
        CollectionRow, CollectionRow.id == CollectionImageRow.collection_id
    )
    statements["campaign"] = _grouped(CampaignMemberRow.campaign_id, CampaignMemberRow.image_id)
    statements["membership"] = _grouped(CampaignMemberRow.state, CampaignMemberRow.image_id)
    statements["c2pa_state"] = _grouped(ProvenanceRow.c2pa_state, ProvenanceRow.image_id)
    statements["made_with"] = _grouped(ProvenanceRow.made_with_folded, ProvenanceRow.image_id).add_columns(
        func.max(ProvenanceRow.made_with)
    )
    values = {name: _values(session, statement, ids) for name, statement in statements.items()}
    return FacetColumns(ids, values, _sightings(session, ids))


def _listed(column: _Column) -> ColumnElement[Any]:
    """All values of a column of numbers, as text."""
    return func.aggregate_strings(cast(column, String), ",")


def _grouped(column: _Column, image_id: _Column) -> Select[Any]:
    return select(column, _listed(image_id)).where(column.is_not(None)).group_by(column)


def _numbers(text: str | None) -> Ids:
    return np.fromstring(text or "", dtype=np.int64, sep=",")


def _positions(ids: Ids, sought: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
    """Where each of the sought ids is in the rising `ids`, and whether it is there."""
    at = np.searchsorted(ids, sought)
    here = at < len(ids)
    here[here] = ids[at[here]] == sought[here]
    return at, here


def _values(session: Session, statement: Select[Any], ids: Ids) -> Values:
    names: list[str] = []
    images: list[Ids] = []
    shown: dict[str, str] = {}
    for value, listed, *other in session.execute(statement):
        names.append(str(value).lower() if isinstance(value, bool) else str(value))
        at, here = _positions(ids, _numbers(listed))
        images.append(np.unique(at[here]))  # a file may name one program several times
        if other:
            shown[names[-1]] = str(other[0])
    sizes = [len(each) for each in images]
    codes = np.repeat(np.arange(len(names), dtype=np.int32), sizes)
    joined = np.concatenate(images) if images else np.empty(0, np.int64)
    return Values(tuple(names), codes, joined.astype(np.int32), shown)


def distinct_pairs(codes: Codes, images: Codes, image_count: int) -> tuple[Codes, Codes]:
    """The different pairs of a code and an image among pairs [P], sorted."""
    keys = np.sort(codes.astype(np.int64) * image_count + images)
    first = np.ones(len(keys), np.bool_)
    first[1:] = keys[1:] != keys[:-1]
    distinct = keys[first]
    count = max(image_count, 1)
    return (distinct // count).astype(np.int32), (distinct % count).astype(np.int32)


def _sightings(session: Session, image_ids: Ids) -> Sightings:
    # one statement reads the three lists, so they are in the same order
    listed = select(
        _listed(SightingRow.id), _listed(SightingRow.image_id), _listed(func.coalesce(SightingRow.posted_month, NONE))
    )
    ids, of, months = (_numbers(text) for text in session.execute(listed).one())
    order = np.argsort(ids)
    ids, of, months = ids[order], of[order], months[order]
    images = _positions(image_ids, of)[0].astype(np.int32)
    dated = months != NONE
    first = int(months[dated].min()) if dated.any() else 0
    last = int(months[dated].max()) if dated.any() else -1
    month_codes = np.where(dated, months - first, NONE).astype(np.int32)
    month_names = [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(first, last + 1)]

    def stated(names: Sequence[str], codes: Codes) -> Stated:
        said = codes != NONE
        return Stated(tuple(names), codes, Pairs(*distinct_pairs(codes[said], images[said], len(image_ids))))

    return Sightings(
        ids,
        images,
        platforms=stated(*_codes(session, SightingRow.platform, ids)),
        accounts=stated(*_codes(session, SightingRow.account, ids)),
        months=stated(month_names, month_codes),
        first_month=first,
        per_image=np.bincount(images, minlength=len(image_ids)).astype(np.int32),
    )


def _codes(session: Session, column: _Column, ids: Ids) -> tuple[list[str], Codes]:
    """The values of a column, and of each sighting the code of its value."""
    codes = np.full(len(ids), NONE, np.int32)
    names = []
    for code, (name, listed) in enumerate(session.execute(_grouped(column, SightingRow.id))):
        codes[np.searchsorted(ids, _numbers(listed))] = code
        names.append(str(name))
    return names, codes
