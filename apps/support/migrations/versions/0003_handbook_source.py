"""Where an article of the handbook came from, and its text with the places for the policy's figures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("policy_articles", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("policy_articles", sa.Column("markdown", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("policy_articles", "markdown")
    op.drop_column("policy_articles", "source")
