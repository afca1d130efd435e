"""Colours, fonts and sizes. Only fonts that a machine has: nothing is fetched from elsewhere."""

from __future__ import annotations

import gradio as gr

SANS = (
    *("system-ui", "-apple-system", "Segoe UI", "Roboto"),
    *("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"),
)
MONO = ("ui-monospace", "SF Mono", "Cascadia Code", "Consolas", "DejaVu Sans Mono", "monospace")

THEME = gr.themes.Base(
    primary_hue=gr.themes.colors.teal,
    secondary_hue=gr.themes.colors.teal,
    neutral_hue=gr.themes.colors.stone,
    radius_size=gr.themes.sizes.radius_lg,
    spacing_size=gr.themes.sizes.spacing_md,
    text_size=gr.themes.sizes.text_md,
    font=SANS,
    font_mono=MONO,
).set(
    body_background_fill="#f7f8f7",
    body_background_fill_dark="#101413",
    background_fill_primary="#ffffff",
    background_fill_primary_dark="#181e1c",
    background_fill_secondary="#f1f3f2",
    background_fill_secondary_dark="#141917",
    block_background_fill="#ffffff",
    block_background_fill_dark="#181e1c",
    block_border_color="#e3e7e5",
    block_border_color_dark="#2a3330",
    block_label_background_fill="transparent",
    block_label_background_fill_dark="transparent",
    border_color_primary="#e3e7e5",
    border_color_primary_dark="#2a3330",
    input_background_fill="#ffffff",
    input_background_fill_dark="#141917",
    input_border_color="#d7dcda",
    input_border_color_dark="#333d3a",
    button_primary_background_fill="#0f766e",
    button_primary_background_fill_hover="#0d655e",
    button_primary_background_fill_dark="#0f766e",
    button_primary_background_fill_hover_dark="#138a80",
    button_primary_text_color="#ffffff",
    button_secondary_background_fill="#ffffff",
    button_secondary_background_fill_hover="#f1f3f2",
    button_secondary_background_fill_dark="#1f2724",
    button_secondary_background_fill_hover_dark="#28322e",
    button_secondary_border_color="#d7dcda",
    button_secondary_border_color_dark="#333d3a",
    shadow_drop="none",
    block_shadow="none",
)
