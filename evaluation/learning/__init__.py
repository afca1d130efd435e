"""What people at the desk said of the assistant, made into something to learn from, and whether it may serve."""
