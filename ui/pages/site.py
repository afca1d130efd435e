"""All pages as one Gradio app."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gradio as gr
from fastapi import FastAPI

from ui.pages import code_studio, desk, support_chat
from ui.pages.theme import THEME
from ui.runtime import Runtime

STYLE = Path(__file__).with_name("style.css")
MOST_AT_ONCE = 32
"""Events that run together. The model serves fewer at a time: the others wait in its queue."""


def build_site(runtime: Callable[[], Runtime]) -> FastAPI:
    """The application, for a path `/`; who may use it is asked before.

    `runtime` raises NotReadyError while the model is being loaded.
    """
    with gr.Blocks(title="Duet", analytics_enabled=False) as blocks:
        support_chat.build(blocks, lambda: runtime().assistant())
    with blocks.route("Code", "/code"):
        code_studio.build(blocks, lambda: runtime().code)
    with blocks.route("Desk", "/desk"):
        desk.build(blocks, lambda: runtime().assistant())
    blocks.queue(default_concurrency_limit=MOST_AT_ONCE, api_open=False)

    return gr.mount_gradio_app(
        FastAPI(openapi_url=None),
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        theme=THEME,
        css_paths=[STYLE],
    )
