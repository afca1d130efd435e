"""Conversations at other desks: webhooks in, messages out through the desk's own API."""
