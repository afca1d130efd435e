"""What people at the desk said about the assistant, as something to learn from; and what it learnt."""
