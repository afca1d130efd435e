"""Whole tasks of customers, played by a simulated one and judged by the database (`duet eval tasks`)."""
