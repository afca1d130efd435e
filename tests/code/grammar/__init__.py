"""Tests of the grammar constraint."""
