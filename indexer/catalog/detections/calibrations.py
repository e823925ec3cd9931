"""Calibrations of detectors: numbered versions for each fingerprint, never changed or deleted, only retired. The newest
version that is not retired is active. Rows are validated when read: calibrations determine verdicts, and anyone who can
write the database file can edit them.
"""

from datetime import datetime

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from indexer.calibration import Calibration, CalibrationVersion
from indexer.catalog.tables.detections import CalibrationRow
from indexer.catalog.tables.portable import insert_new
from indexer.catalog.tables.types import utc_now
from indexer.errors import CatalogError, ConflictError, NotFoundError

_CALIBRATION = TypeAdapter(Calibration)
_VERSIONS = range(1, 2**31)
_COLUMNS = (CalibrationRow.fingerprint, CalibrationRow.version, CalibrationRow.retired_at, CalibrationRow.record)


def add(session: Session, calibration: Calibration) -> CalibrationVersion:
    """Store a calibration as the next version of its detector, which makes it the active one."""
    newest = select(func.max(CalibrationRow.version)).where(CalibrationRow.fingerprint == calibration.fingerprint)
    version = (session.execute(newest).scalar_one() or 0) + 1
    row = {
        "fingerprint": calibration.fingerprint,
        "version": version,
        "record": _CALIBRATION.dump_json(calibration).decode(),
        "measured_at": calibration.measured_at,
        "retired_at": None,
    }
    insert_new(session, CalibrationRow, [row], CalibrationRow.id)
    return CalibrationVersion(version, None, calibration)


def active_version(session: Session, fingerprint: str) -> int | None:
    """The version in use for the detector with this fingerprint, None when there is none; one cheap statement."""
    active = select(func.max(CalibrationRow.version)).where(
        CalibrationRow.fingerprint == fingerprint, CalibrationRow.retired_at.is_(None)
    )
    return session.execute(active).scalar_one()


def get(session: Session, fingerprint: str, version: int) -> CalibrationVersion:
    """One version.

    Raises:
        NotFoundError: there is no such version.
        CatalogError: its row is damaged.
    """
    statement = select(*_COLUMNS).where(CalibrationRow.fingerprint == fingerprint, CalibrationRow.version == version)
    row = session.execute(statement).one_or_none() if version in _VERSIONS else None
    if row is None:
        raise _unknown(version)
    return _read(row)


def list(session: Session, fingerprint: str) -> tuple[CalibrationVersion, ...]:
    """All versions of the detector with this fingerprint, the newest first.

    Raises:
        CatalogError: a row is damaged.
    """
    rows = session.execute(
        select(*_COLUMNS).where(CalibrationRow.fingerprint == fingerprint).order_by(CalibrationRow.version.desc())
    )
    return tuple(_read(row) for row in rows)


def retire(session: Session, fingerprint: str, version: int) -> datetime:
    """Take a version out of use, even a damaged one; the newest remaining one becomes active.

    Returns:
        When it was retired.

    Raises:
        NotFoundError: there is no such version.
        ConflictError: it is already retired.
    """
    where = (CalibrationRow.fingerprint == fingerprint, CalibrationRow.version == version)
    statement = select(CalibrationRow.retired_at).where(*where)
    state = session.execute(statement).one_or_none() if version in _VERSIONS else None
    if state is None:
        raise _unknown(version)
    if state.retired_at is not None:
        raise ConflictError(f"calibration {version} was retired on {state.retired_at:%Y-%m-%d}")
    now = utc_now()
    session.execute(update(CalibrationRow).where(*where).values(retired_at=now))
    return now


def _read(row: Row[str, int, datetime | None, str]) -> CalibrationVersion:
    try:
        calibration = _CALIBRATION.validate_json(row.record)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _damaged(row.version, f"{where} {first['msg']}".strip()) from None
    if calibration.fingerprint != row.fingerprint:
        raise _damaged(row.version, "it is of another detector")
    if calibration.measured_at.tzinfo is None:
        raise _damaged(row.version, "its time has no zone")
    return CalibrationVersion(row.version, row.retired_at, calibration)


def _damaged(version: int, why: str) -> CatalogError:
    shown = "".join(c if c.isprintable() else " " for c in why)[:200]
    return CatalogError(
        f"calibration {version} in the catalogue is damaged ({shown}): take it out of use with "
        f"`dejafake calibrate retire {version}`"
    )


def _unknown(version: int) -> NotFoundError:
    return NotFoundError(f"this detector has no calibration {version}: `dejafake calibrate list` shows those it has")
