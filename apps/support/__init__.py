"""The support assistant of an online shop."""
