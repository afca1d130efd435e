"""OpenAI's HTTP protocol: chat completions, completions, models; and vLLM's for adapters."""
