"""Conversations: their state, one turn of them, and what people at the desk do with them."""
