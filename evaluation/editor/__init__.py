"""How good and how fast suggestions in an editor are: `duet bench editor`."""
