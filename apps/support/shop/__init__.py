"""The shop: its database, what is in it, and how it gets there."""
