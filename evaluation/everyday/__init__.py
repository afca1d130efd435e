"""Everyday tasks with acceptance tests that the assistant never sees: classes, programs, files."""
