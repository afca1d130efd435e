"""What is said: sentences, facts, and the model that puts them into words."""
