"""Asks the product with a picture file and reads its answer: what is said of the original and of others."""

from dataclasses import dataclass

from benchmarks.copying.peers import BEST
from benchmarks.copying.trials import Claim
from indexer.search.answers import SearchOptions
from indexer.verdict.matches import Match
from indexer.vocabulary import Relation
from indexer.workspace import Workspace

LISTED = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer, read. As in `Trial`."""

    first: bool
    claim: Claim | None
    wrong: tuple[tuple[str, Claim], ...]
    scores: tuple[tuple[float, bool], ...]
    milliseconds: float


def ask(workspace: Workspace, data: bytes, own: frozenset[str]) -> Asked:
    """Searches with the bytes of a picture; `own`: the SHA-256 of known images that are the same picture."""
    answer = workspace.searcher.by_bytes(data, SearchOptions(limit=LISTED, likeness_label=None))
    said = [(match.image.image.sha256, _claim(match), round(confidence(match), 5)) for match in answer.matches]
    claims = list(Claim)
    ours = sorted((claims.index(claim) for sha256, claim, _ in said if sha256 in own))
    wrong = [(sha256, claim) for sha256, claim, _ in said if sha256 not in own and claim is not Claim.NEAREST]
    best = max((score for sha256, _, score in said if sha256 in own), default=None)
    scores = [(score, False) for sha256, _, score in said if sha256 not in own]
    if best is not None:
        scores.append((best, True))
    return Asked(
        first=bool(said) and said[0][0] in own,
        claim=claims[ours[0]] if ours else None,
        wrong=tuple(sorted(wrong, key=lambda one: claims.index(one[1])))[:BEST],
        scores=tuple(sorted(scores, reverse=True)[:BEST]),
        milliseconds=round(sum(answer.milliseconds.values()), 2),
    )


def _claim(match: Match) -> Claim:
    if not match.holds:
        return Claim.NEAREST
    if match.likely:
        return Claim.LIKELY
    if match.relation in (Relation.SAME_FILE, Relation.SAME_PICTURE):
        return Claim.SAME_PICTURE
    return Claim.SHARES_PART if match.relation is Relation.SHARES_PART else Claim.SAME_ORIGIN


def confidence(match: Match) -> float:
    """How sure the product is that both are the same picture, for ranking pairs of all queries: 4 for the same file,
    3 and more by PDQ, 2 and more verified by features, 1.5 and more by an unverified copy embedding, 1 and more for a
    shared part, below that the cosine of the nearest."""
    score = match.score
    if not match.holds:
        copy = [one.value for one in match.scores if one.measure == "copy_cosine"]
        return (copy[0] if copy else score.value) / 2 if score.measure.endswith("cosine") else 0.0
    if score.measure == "sha256":
        return 4.0
    if score.measure == "pdq_distance":
        return 4.0 - score.value / 256
    if score.measure == "overlap":
        return (1.0 if match.relation is Relation.SHARES_PART else 2.0) + score.value / (score.value + 25)
    return 1.5 + score.value / 5 if score.measure == "copy_cosine" else max(0.0, score.value) / 2
