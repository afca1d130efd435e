"""Where a return's refund goes; and whether a variant is on sale no longer follows from its stock."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # Written out: SQLite takes a foreign key with its column only, and Alembic adds it afterwards.
    op.execute(
        "alter table returns add column method_id integer "
        "constraint fk_returns_method_id_payment_methods references payment_methods (id)"
    )
    # Until now what was sold out was marked as not on sale, and came back with its stock.
    op.execute("update variants set available = true where stock <= 0")


def downgrade() -> None:
    op.execute("update variants set available = false where stock <= 0")
    op.execute("alter table returns drop column method_id")
