"""Outcomes and relations as headlines for people. The sentence that belongs to an outcome is in the verdict itself."""

from collections.abc import Mapping
from typing import Final

from indexer.vocabulary import Outcome, Relation

HEADLINES: Final[Mapping[Outcome, str]] = {
    Outcome.KNOWN_FAKE_MATCH: "Known fake",
    Outcome.SHARES_PART_WITH_KNOWN_FAKE: "Shares a part with a known fake",
    Outcome.SIMILAR_TO_KNOWN_FAKE: "Similar to known fakes",
    Outcome.NO_MATCH_FOUND: "No known fake of this catalogue matches",
    Outcome.INCONCLUSIVE: "Inconclusive: a person must look",
    Outcome.NOT_ASSESSABLE: "Cannot be assessed",
}

RELATION_WORDS: Final[Mapping[Relation, str]] = {
    Relation.SAME_FILE: "same file",
    Relation.SAME_PICTURE: "same picture",
    Relation.SHARES_PART: "shares a part",
    Relation.SAME_ORIGIN: "same origin",
}
