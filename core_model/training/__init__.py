"""Training of adapters, beside the serving path."""
