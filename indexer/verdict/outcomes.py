"""The rules of the outcome: files decide before pictures, pictures before parts, parts before likeness; and what cannot
be assessed.

Likeness to a known fake is a relation and not fakeness, and "no match" is not "authentic". Who has no label decides
nothing, and hides nothing that does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.catalog.records.labels import CurrentLabel
from indexer.verdict.alterations import alteration_words, shared_words
from indexer.verdict.case import Case
from indexer.verdict.matches import ListedMatch, Match
from indexer.verdict.relations import Band
from indexer.vocabulary import LabelSource, LabelValue, Outcome, Relation, Technique


@dataclass(frozen=True, slots=True)
class _Identity:
    """What was found of one kind of identity. `words`: how it is called; `known`: labels of images; `labels`: these and
    what hash lists say, of which one decides; `copied`: what was done to the known fake that matches best, where its
    features told."""

    words: str
    known: Sequence[CurrentLabel]
    labels: Sequence[CurrentLabel]
    copied: str = ""

    @property
    def decides(self) -> bool:
        """Whether there is a label that decides."""
        return any(map(_decides, self.labels))


def outcome_of(case: Case) -> tuple[Outcome, str]:
    """The outcome, and the sentence that sums it up.

    Of the same file labels decide; where it has none, those of the same picture; where that has none, those of likely
    copies; then shared parts, then likeness to known fakes. A picture that was found but that nobody labelled is
    inconclusive. A part that is shared with what is no known fake decides nothing.
    """
    identities = _identities(case.holding, case.listed)
    file, picture, likely = identities
    unlabelled: str | None = None
    for identity in identities:
        if identity.decides:
            outcome, summary = _labelled(identity)
            if identity is file and outcome is Outcome.NO_MATCH_FOUND and _holds_a_fake(picture, likely):
                summary = (
                    "The same file is labelled authentic; a copy of the picture is a known fake and may derive from it."
                )
            return outcome, summary if unlabelled is None else f"{unlabelled}. {summary}"
        unlabelled = unlabelled or _unlabelled(identity)
    parts = [match for match in case.holding if match.relation is Relation.SHARES_PART]
    if fakes := _fakes(parts):
        sources = _sources([match.image.image.label for match in fakes])
        said = f"Part of this picture is in a known fake, labelled by {sources}{_covering(fakes)}."
        return Outcome.SHARES_PART_WITH_KNOWN_FAKE, said if unlabelled is None else f"{unlabelled}. {said}"
    alike = _fakes([match for match in case.holding if match.relation is Relation.SAME_ORIGIN])
    if case.likeness_assessed and alike:
        opening = "Not a known file or picture, but" if unlabelled is None else f"{unlabelled}, but"
        return Outcome.SIMILAR_TO_KNOWN_FAKE, f"{opening} its embedding is close to known fakes ({_how_sure(alike)})."
    if unlabelled is not None:
        return Outcome.INCONCLUSIVE, f"{unlabelled}: a person must look at it."
    return _nothing_found(case, parts)


def settled(matches: Sequence[Match], listed: Sequence[ListedMatch]) -> bool:
    """Whether a query is a known fake by its bytes or a near-identical picture already: then the details of altered
    copies need not be compared.

    An authentic label settles nothing: the picture may be a known fake's genuine source, and the fake be missed.
    """
    sure = [match for match in matches if match.holds and match.score.measure in ("sha256", "pdq_distance")]
    for identity in _identities(sure, listed):
        if identity.decides:
            return _labelled(identity)[0] is Outcome.KNOWN_FAKE_MATCH
    return False


def _identities(holding: Sequence[Match], listed: Sequence[ListedMatch]) -> tuple[_Identity, _Identity, _Identity]:
    """The same file, the same picture, and likely copies, the surest first."""
    copies = [match for match in holding if match.relation is Relation.SAME_PICTURE]

    def identity(words: str, relation: Relation | None, matches: Sequence[Match]) -> _Identity:
        known = [match.image.image.label for match in matches]
        return _Identity(words, known, [*known, *_listed_labels(listed, relation, known)], _copied(matches))

    return (
        identity(
            "The same file",
            Relation.SAME_FILE,
            [match for match in holding if match.relation is Relation.SAME_FILE],
        ),
        identity(
            "The same picture, or a near-identical one,",
            Relation.SAME_PICTURE,
            [match for match in copies if not match.likely],
        ),
        identity("What is likely the same picture", None, [match for match in copies if match.likely]),
    )


def _holds_a_fake(*identities: _Identity) -> bool:
    return any(label.value is LabelValue.FAKE for identity in identities for label in identity.labels)


def _copied(matches: Sequence[Match]) -> str:
    fakes = _fakes(matches)
    if not fakes or fakes[0].overlap is None or fakes[0].score.measure != "overlap":
        return ""
    return alteration_words(fakes[0].overlap) or "verified by features that lie alike"


def _covering(parts: Sequence[Match]) -> str:
    """How much the part covers, of the strongest match."""
    overlap = parts[0].overlap
    return "" if overlap is None else f": {shared_words(overlap)}"


def _fakes(matches: Sequence[Match]) -> list[Match]:
    return [match for match in matches if match.image.image.label.value is LabelValue.FAKE]


def _nothing_found(case: Case, parts: Sequence[Match]) -> tuple[Outcome, str]:
    if not case.any_known_fake:
        return Outcome.NOT_ASSESSABLE, "This catalogue holds no known fakes: there is nothing to compare with."
    if not case.likeness_assessed and not case.pictures_assessed and not case.copies.assessed:
        neither = "Neither the picture's hash nor its embedding could be compared."
        return Outcome.NOT_ASSESSABLE, neither if case.unassessable is None else case.unassessable
    if case.finding is not None and not case.finding.trained:
        return (
            Outcome.NOT_ASSESSABLE,
            "Not the same file or picture as any known fake. Likeness not judged: the detector is not trained.",
        )
    sentence = "No known fake of this catalogue matches"
    if parts:
        sentence += f", but part of this picture is in {_part_of(parts)}"
    return Outcome.NO_MATCH_FOUND, f"{sentence}. That does not make the picture authentic."


def _part_of(parts: Sequence[Match]) -> str:
    """The known picture that shares most, of those that carry the label that says most."""
    authentic = [match for match in parts if match.image.image.label.value is LabelValue.AUTHENTIC]
    if authentic:
        return f"a known picture labelled authentic by {_sources([match.image.image.label for match in authentic])}"
    return "a known picture that has no deciding label"


def _decides(label: CurrentLabel) -> bool:
    return label.disputed or label.value is not LabelValue.UNKNOWN


def _unlabelled(identity: _Identity) -> str | None:
    """What is said, without a full stop, of what was found and has no label that decides; None of what was not."""
    if not identity.labels:
        return None
    sources = _sources(identity.labels)
    said = "nobody has labelled it yet" if not sources else f"its label is unknown, as stated by {sources}"
    return f"{identity.words} is {_where(identity)}, and {said}"


def _where(identity: _Identity) -> str:
    return "in the catalogue" if identity.known else "on a hash list"


def _sources(labels: Sequence[CurrentLabel]) -> str:
    return ", ".join(sorted({label.source for label in labels if label.source})[:3])


def _how_sure(alike: Sequence[Match]) -> str:
    origin = [score for match in alike for score in match.scores if score.relation is Relation.SAME_ORIGIN]
    nearest = max(origin, key=lambda score: score.value, default=None)
    if nearest is None or nearest.probability is None or nearest.band is Band.UNCALIBRATED:
        return "uncalibrated"
    return f"{nearest.band.value}, {nearest.note}"


def _listed_labels(
    listed: Sequence[ListedMatch], relation: Relation | None, known: Sequence[CurrentLabel]
) -> list[CurrentLabel]:
    """What hash lists say, as labels of a feed. Of the same file a person's label wins over theirs."""
    by_person = any(label.source_kind is LabelSource.HUMAN and not label.disputed for label in known)
    if relation is Relation.SAME_FILE and by_person:
        return []
    return [
        CurrentLabel(
            value=match.entry.label,
            technique=Technique.UNKNOWN,
            generator=None,
            disputed=False,
            source_kind=LabelSource.TRUSTED_FEED,
            source=f"the hash list {match.entry.source} (no picture is held)",
        )
        for match in listed
        if match.relation is relation
    ]


def _labelled(identity: _Identity) -> tuple[Outcome, str]:
    where = _where(identity)
    if any(label.disputed for label in identity.labels):
        return Outcome.INCONCLUSIVE, f"{identity.words} is {where}, but its labels disagree: a person must settle them."
    deciding = [label for label in identity.labels if _decides(label)]  # who has no label contradicts nobody
    values, sources = {label.value for label in deciding}, _sources(deciding)
    if values == {LabelValue.FAKE} and identity.copied:
        said = f"The same picture as a known fake, {identity.copied}; labelled by {sources}."
        return Outcome.KNOWN_FAKE_MATCH, said
    if values == {LabelValue.FAKE}:
        return Outcome.KNOWN_FAKE_MATCH, f"{identity.words} is a known fake, labelled by {sources}."
    if values == {LabelValue.AUTHENTIC}:
        return Outcome.NO_MATCH_FOUND, f"{identity.words} is {where}, labelled authentic by {sources}."
    return (
        Outcome.INCONCLUSIVE,
        f"{identity.words} is {where} more than once with different labels: a person must compare them.",
    )
