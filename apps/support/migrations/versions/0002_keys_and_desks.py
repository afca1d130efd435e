"""API keys, and the threads, events and posts of other desks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("beginning", sa.String(length=16), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("name", name="uq_api_keys_name"),
        sa.UniqueConstraint("sha256", name="uq_api_keys_sha256"),
    )

    op.create_table(
        "desk_links",
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("desk", _desk(), nullable=False),
        sa.Column("thread", sa.String(length=255), nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_desk_links_conversation_id_conversations"
        ),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_desk_links"),
        sa.UniqueConstraint("desk", "thread", name="uq_desk_links_desk_thread"),
    )

    op.create_table(
        "desk_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("desk", _desk(), nullable=False),
        sa.Column("thread", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("for_assistant", sa.Boolean(), nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column(
            "status",
            sa.Enum("waiting", "done", "failed", name="eventstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("after_message_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_desk_events"),
        sa.UniqueConstraint("desk", "key", name="uq_desk_events_desk_key"),
    )
    op.create_index("ix_desk_events_status_id", "desk_events", ["status", "id"])
    op.create_index("ix_desk_events_desk_thread_id", "desk_events", ["desk", "thread", "id"])

    op.create_table(
        "desk_posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "message", "note", "hand_over", "take_back", name="postkind", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("waiting", "sent", "failed", name="poststatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("maybe_sent", sa.Boolean(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("desk_message", sa.String(length=255), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["desk_links.conversation_id"],
            name="fk_desk_posts_conversation_id_desk_links",
        ),
        sa.ForeignKeyConstraint(["event_id"], ["desk_events.id"], name="fk_desk_posts_event_id_desk_events"),
        sa.PrimaryKeyConstraint("id", name="pk_desk_posts"),
        sa.UniqueConstraint("event_id", name="uq_desk_posts_event_id"),
    )
    op.create_index("ix_desk_posts_status_id", "desk_posts", ["status", "id"])
    op.create_index("ix_desk_posts_conversation_id_id", "desk_posts", ["conversation_id", "id"])


def downgrade() -> None:
    for table in ("desk_posts", "desk_events", "desk_links", "api_keys"):
        op.drop_table(table)


def _desk() -> sa.Enum:
    return sa.Enum("chatwoot", "zendesk", name="deskname", native_enum=False, length=32)
