"""Alembic's entry: migrates over the connection that apps.support.shop.database hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from apps.support.shop.models import Base

UPGRADE_LOCK = 0x44554554  # any number of our own: two programs that start together migrate one after another


def _is_ours(name: str | None) -> bool:
    """Alembic compares our tables only; the search index is not part of the models."""
    return not (name or "").startswith(("policy_search", "ix_policy_search"))


connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    include_object=lambda _item, name, *_rest: _is_ours(name),
)
context.run_migrations()
