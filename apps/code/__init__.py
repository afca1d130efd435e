"""The code assistant for Python, Java and C++."""
