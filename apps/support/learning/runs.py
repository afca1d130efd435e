"""The record of what was learnt: trainings with their figures, and which version serves since when."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from apps.support.errors import ConflictError
from apps.support.shop.models import AuditEntry, LearningRun, LearningStatus
from apps.support.shop.models.columns import utc_now


def last_seen(session: Session, adapter: str) -> int:
    """The last feedback, or message from a draft, that an earlier training looked at; 0 before the first."""
    query = select(func.max(LearningRun.last_seen)).where(LearningRun.adapter == adapter)
    return session.scalar(query) or 0


def runs_of(session: Session, adapter: str | None = None, limit: int = 20) -> Sequence[LearningRun]:
    """Trainings, newest first."""
    query = select(LearningRun).order_by(LearningRun.id.desc()).limit(limit)
    if adapter is not None:
        query = query.where(LearningRun.adapter == adapter)
    return session.scalars(query).all()


def record(session: Session, run: LearningRun) -> LearningRun:
    """Store a training, with its row in the audit log."""
    session.add(run)
    session.flush()
    _audit(session, "adapter_learnt", run, {"version": run.from_version}, {"status": run.status.value})
    return run


def waiting(session: Session, adapter: str) -> LearningRun | None:
    """The training that waits for a person."""
    query = select(LearningRun).where(
        LearningRun.adapter == adapter, LearningRun.status == LearningStatus.WAITING
    )
    return session.scalar(query.order_by(LearningRun.id.desc()).limit(1))


def decline(session: Session, run: LearningRun) -> None:
    """Say that a person does not want what was learnt."""
    run.reasons = [*run.reasons, "a person declined it"]
    _set(run, LearningStatus.REFUSED)
    _audit(session, "adapter_declined", run, {"version": run.from_version}, {"status": run.status.value})


def put_in_service(session: Session, run: LearningRun, served: int) -> None:
    """Say that the version serves from now on, in place of version `served`.

    Raises ConflictError where it was refused, or went on from another version and was compared with that.
    """
    if run.status == LearningStatus.REFUSED:
        raise ConflictError(f"version {run.version} of {run.adapter} was refused: {'; '.join(run.reasons)}")
    if run.from_version != served:
        raise ConflictError(
            f"version {run.version} of {run.adapter} went on from version {run.from_version} and was compared with "
            f"that, but version {served} serves: decline it, or roll back first"
        )
    _replace_serving(session, run.adapter)
    _set(run, LearningStatus.IN_SERVICE)
    _audit(session, "adapter_in_service", run, {"version": run.from_version}, {"version": run.version})


def rolled_back(session: Session, adapter: str, served: int, before: int) -> None:
    """Say that version `before` serves again in place of `served`."""
    _replace_serving(session, adapter)
    run = session.scalar(
        select(LearningRun).where(LearningRun.adapter == adapter, LearningRun.version == before)
    )
    if run is not None:
        _set(run, LearningStatus.IN_SERVICE)
    _audit_entry(session, "adapter_rolled_back", adapter, {"version": served}, {"version": before})


def _replace_serving(session: Session, adapter: str) -> None:
    serving = select(LearningRun).where(
        LearningRun.adapter == adapter, LearningRun.status == LearningStatus.IN_SERVICE
    )
    for run in session.scalars(serving):
        _set(run, LearningStatus.REPLACED)


def _set(run: LearningRun, status: LearningStatus) -> None:
    run.status, run.decided_at = status, utc_now()


def _audit(
    session: Session, action: str, run: LearningRun, before: dict[str, Any], after: dict[str, Any]
) -> None:
    told = {**after, "version": run.version, "rows": run.rows, "reasons": run.reasons}
    _audit_entry(session, action, run.adapter, before, told)


def _audit_entry(
    session: Session, action: str, adapter: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    key = f"{action} {adapter} {secrets.token_hex(8)}"
    session.add(
        AuditEntry(action=action, action_key=key[:255], before={"adapter": adapter, **before}, after=after)
    )
