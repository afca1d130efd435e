"""Training pairs for the reply adapter: what the playbooks found in made-up shops, and how to say it."""
