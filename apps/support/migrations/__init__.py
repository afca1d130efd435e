"""Alembic migrations of the shop's database, packaged with the app."""
