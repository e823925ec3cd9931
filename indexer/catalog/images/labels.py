"""Statements about images, and the current label that follows from them. Statements are never overwritten. One source's
statements on an image in one edition (`NewLabel.edition`; without one, in one transaction) are simultaneous: they form
a group, and only each source's latest group counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from indexer.catalog.campaigns import departures as campaign_departures
from indexer.catalog.changes import this_change
from indexer.catalog.records.labels import CurrentLabel, NewLabel
from indexer.catalog.tables.images import ImageRow
from indexer.catalog.tables.labels import LabelRow
from indexer.catalog.tables.types import bounded, clean_text, utc_now
from indexer.errors import UsageError
from indexer.vocabulary import LabelSource, LabelValue, Technique

_PRECEDENCE = list(LabelSource)
_SourceKey = tuple[LabelSource, str]
UNLABELLED = CurrentLabel(LabelValue.UNKNOWN, Technique.UNKNOWN, None, disputed=False, source_kind=None, source=None)


def state(session: Session, image_id: int, labels: Sequence[NewLabel], *, stated_at: datetime | None = None) -> int:
    """Record statements about an image and bring its current label up to date.

    Repeating exactly what a source's latest group says adds nothing. Stating less, or something else, in another
    edition replaces the group: so a corrected list, or the same person, can settle a contradiction. Reading an edition
    again does not undo what its source has stated since.

    Args:
        stated_at: when they were stated, for statements from another catalogue; None: now. The order of calls decides
            which is the latest.

    Returns:
        How many statements were added.

    Raises:
        UsageError: a source without a name, or a name that is too long.
    """
    if not labels:
        return 0
    stored = _stored(session, image_id)
    added = 0
    for (kind, source, edition), claims in _by_edition(labels).items():
        before = [row for row in stored if _key(row) == (kind, source)]
        added += _state_one_edition(session, image_id, edition, claims, before, stated_at or utc_now())
    if added:
        _set_current(session, image_id, resolve(_stored(session, image_id)))
    return added


def current(session: Session, image_id: int) -> CurrentLabel:
    """The current label of an image, recomputed from its statements."""
    return resolve(_stored(session, image_id))


def resolve(statements: Sequence[LabelRow]) -> CurrentLabel:
    """The label that follows from statements, oldest first, by the rule of `CurrentLabel`. `unknown` is neutral: it
    contradicts no statement of equal precedence, but still overrides lower ones. Technique and generator are the most
    recent ones stated among the counting statements that agree with the value, then among agreeing statements of lower
    precedence.
    """
    if not statements:
        return UNLABELLED
    latest: dict[_SourceKey, str] = {_key(row): row.edition for row in statements}
    counting = [row for row in statements if row.edition == latest[_key(row)]]
    counting.sort(key=lambda row: (_PRECEDENCE.index(row.source_kind), -row.id))
    top = counting[0].source_kind
    values = {row.value for row in counting if row.source_kind == top}
    sides = values - {LabelValue.UNKNOWN}
    if len(sides) > 1:
        return CurrentLabel(LabelValue.UNKNOWN, Technique.UNKNOWN, None, disputed=True, source_kind=top, source=None)
    value = sides.pop() if sides else LabelValue.UNKNOWN
    agreeing = [row for row in counting if row.value == value]
    return CurrentLabel(
        value=value,
        technique=next((row.technique for row in agreeing if row.technique != Technique.UNKNOWN), Technique.UNKNOWN),
        generator=next((row.generator for row in agreeing if row.generator is not None), None),
        disputed=False,
        source_kind=top,
        source=agreeing[0].source,
    )


def _stored(session: Session, image_id: int) -> list[LabelRow]:
    return list(session.scalars(select(LabelRow).where(LabelRow.image_id == image_id).order_by(LabelRow.id)))


def _by_edition(labels: Iterable[NewLabel]) -> Mapping[tuple[LabelSource, str, str | None], list[NewLabel]]:
    """Cleaned labels by source and edition, without repetitions."""
    groups: dict[tuple[LabelSource, str, str | None], list[NewLabel]] = {}
    for label in labels:
        source = bounded("the source of a label", label.source)
        if source is None:
            raise UsageError("a label needs a source: who says so")
        cleaned = NewLabel(
            value=label.value,
            source_kind=label.source_kind,
            source=source,
            technique=label.technique,
            generator=bounded("a generator", label.generator),
            reason=None if label.reason is None else clean_text(label.reason).strip() or None,
        )
        group = groups.setdefault((label.source_kind, source, bounded("an edition", label.edition)), [])
        if cleaned not in group:
            group.append(cleaned)
    return groups


def _state_one_edition(
    session: Session,
    image_id: int,
    edition: str | None,
    claims: Sequence[NewLabel],
    before: Sequence[LabelRow],
    stated_at: datetime,
) -> int:
    """Add one source's new statements to its earlier ones; see `state` for what counts as new."""
    group = edition or f"transaction {this_change(session)}"
    latest = {_claim(row) for row in before if row.edition == before[-1].edition}
    claimed = {_claim(row) for row in before if row.edition == group}
    new = [] if not claimed and latest == set(claims) else [claim for claim in claims if claim not in claimed]
    for claim in new:
        session.execute(
            insert(LabelRow).values(
                image_id=image_id,
                edition=group,
                value=claim.value,
                technique=claim.technique,
                generator=claim.generator,
                source_kind=claim.source_kind,
                source=claim.source,
                reason=claim.reason,
                stated_at=stated_at,
            )
        )
    return len(new)


def _set_current(session: Session, image_id: int, label: CurrentLabel) -> None:
    if label.value is not LabelValue.FAKE:  # campaigns hold only known fakes
        campaign_departures.leave(session, [image_id])
    session.execute(
        update(ImageRow)
        .where(ImageRow.id == image_id)
        .values(
            label=label.value,
            technique=label.technique,
            generator=label.generator,
            disputed=label.disputed,
            label_source_kind=label.source_kind,
            label_source=label.source,
        )
        .execution_options(synchronize_session=False)
    )


def _key(row: LabelRow) -> _SourceKey:
    return row.source_kind, row.source


def _claim(row: LabelRow) -> NewLabel:
    return NewLabel(row.value, row.source_kind, row.source, row.technique, row.generator, row.reason)
