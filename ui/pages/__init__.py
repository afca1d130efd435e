"""The Gradio pages."""

from ui.pages.mounting import Pages

__all__ = ["Pages"]
