"""A known image, or an entry of a hash list, as a match of a query."""

from dataclasses import dataclass

from indexer.catalog.records.hash_lists import ListedHash
from indexer.catalog.records.images import ImageDetails
from indexer.copies.verification.overlap import Overlap
from indexer.verdict.relations import Band, RelationScore
from indexer.vocabulary import Relation


@dataclass(frozen=True, slots=True)
class Match:
    """A known image and how it belongs to the query; `relation` is the strongest that was measured to hold, or
    `same_origin` when none does and it is merely among the nearest. `overlap`: where each lies in the other, None where
    local features were not compared or showed nothing."""

    image: ImageDetails
    relation: Relation
    holds: bool
    scores: tuple[RelationScore, ...]
    overlap: Overlap | None = None

    @property
    def score(self) -> RelationScore:
        """The score that `relation` rests on; where none holds, the last that was measured."""
        return next((score for score in self.scores if score.holds), self.scores[-1])

    @property
    def likely(self) -> bool:
        """Whether it is a copy by its copy embedding alone, which nothing verified."""
        return self.holds and self.score.band is Band.LIKELY_COPY


@dataclass(frozen=True, slots=True)
class ListedMatch:
    """An entry of a hash list and how it belongs to the query: `same_file` by SHA-256, or `same_picture` by PDQ."""

    entry: ListedHash
    relation: Relation
    score: RelationScore
