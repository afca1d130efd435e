"""Imports of `duet db import`, and what of one under way is checked and not written yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from apps.support.shop.models.columns import Base, JsonObject, LongText, ShortText, utc_now


class ImportRun(Base):
    """One file. Until `staged` nothing of it was written, from then on all of it will be."""

    __tablename__ = "import_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[ShortText]
    counts: Mapped[JsonObject]  # {"orders": {"new": 3, "changed": 0, "unchanged": 1}, …}
    staged: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(index=True)


class ImportBatch(Base):
    """Records that one transaction writes, and deletes from here."""

    __tablename__ = "import_batches"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id"), index=True)
    content: Mapped[LongText]  # apps.support.shop.importing.records.Batch
