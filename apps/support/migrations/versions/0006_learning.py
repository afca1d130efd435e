"""Drafts and what became of them, trainings on them, and who gave a feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("feedback", sa.Column("corrected_commands", sa.String(length=255), nullable=True))
    op.add_column("feedback", sa.Column("by_desk", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("notes", JSON, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_id", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_drafts_conversation_id_conversations"
        ),
        sa.ForeignKeyConstraint(["sent_id"], ["messages.id"], name="fk_drafts_sent_id_messages"),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
    )
    op.create_index("ix_drafts_conversation_id", "drafts", ["conversation_id"])
    op.create_table(
        "learning_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("adapter", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("rows", JSON, nullable=False),
        sa.Column("figures", JSON, nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("last_seen", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learning_runs"),
        sa.UniqueConstraint("adapter", "version", name="uq_learning_runs_adapter_version"),
    )


def downgrade() -> None:
    for table in ("learning_runs", "drafts"):
        op.drop_table(table)
    for column in ("by_desk", "corrected_commands"):
        op.drop_column("feedback", column)
