"""Protocols of editors and agents, spoken by their own clients where these are installable."""
