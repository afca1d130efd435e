"""What the assistants do."""
