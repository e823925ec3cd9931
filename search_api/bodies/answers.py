"""What several answers of the API show: matches of the library with their links."""

from urllib.parse import quote

from pydantic import BaseModel

from indexer.catalog.records.images import ImageDetails
from indexer.copies.verification.overlap import Overlap
from indexer.verdict.matches import Match
from indexer.verdict.relations import RelationScore
from indexer.vocabulary import Relation


class Links(BaseModel):
    """Addresses of what belongs to an image."""

    image: str
    thumbnail: str
    similar: str
    sightings: str

    @classmethod
    def of(cls, sha256: str) -> "Links":
        """The links of one image."""
        base = f"/v1/images/{sha256}"
        return cls(image=base, thumbnail=f"{base}/thumbnail", similar=f"{base}/similar", sightings=f"{base}/sightings")


class LinkedMatch(BaseModel):
    """A known image and how it belongs to the query.

    `relation` is the strongest that holds, or `same_origin` when none does (`holds` is false) and it is only near.
    `overlap` says where each picture lies in the other and how it was turned, mirrored and scaled; null where local
    features were not compared, or showed nothing.
    """

    image: ImageDetails
    relation: Relation
    holds: bool
    scores: tuple[RelationScore, ...]
    overlap: Overlap | None = None
    links: Links
    campaign_links: tuple[str, ...]

    @classmethod
    def of(cls, match: Match) -> "LinkedMatch":
        """A match of the library with its links."""
        return cls(
            image=match.image,
            relation=match.relation,
            holds=match.holds,
            scores=match.scores,
            overlap=match.overlap,
            links=Links.of(match.image.image.sha256),
            campaign_links=tuple(
                f"/v1/campaigns/{quote(membership.campaign, safe='')}" for membership in match.image.campaigns
            ),
        )

    def match(self) -> Match:
        """The match of the library, without the links."""
        return Match(self.image, self.relation, self.holds, self.scores, self.overlap)
