"""Ollama's HTTP protocol (github.com/ollama/ollama, docs/api.md): generate, chat, and what is there."""
