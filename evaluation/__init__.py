"""How good and how fast the assistants are."""
