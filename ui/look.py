"""How the page looks: Gradio's theme tied to the colours of style.css, and what goes into its head."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

_HERE = Path(__file__).parent
_SANS = (
    "-apple-system",
    "BlinkMacSystemFont",
    "Segoe UI",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "system-ui",
    "sans-serif",
)


def theme() -> gr.themes.Base:
    """Gradio's plainest theme with the colours of style.css (light and dark are chosen there)."""
    colours = {
        "body_background_fill": "paper",
        "body_text_color": "ink",
        "body_text_color_subdued": "muted",
        "background_fill_primary": "sheet",
        "background_fill_secondary": "paper",
        "border_color_primary": "line",
        "border_color_accent": "accent",
        "color_accent_soft": "accent-soft",
        "block_background_fill": "sheet",
        "block_border_color": "line",
        "block_label_text_color": "muted",
        "block_title_text_color": "muted",
        "block_info_text_color": "muted",
        "input_background_fill": "sheet",
        "input_border_color": "edge",
        "input_border_color_focus": "accent",
        "input_placeholder_color": "muted",
        "button_primary_background_fill": "accent",
        "button_primary_background_fill_hover": "accent-strong",
        "button_primary_text_color": "on-accent",
        "button_secondary_background_fill": "sheet",
        "button_secondary_background_fill_hover": "accent-soft",
        "button_secondary_border_color": "edge",
        "button_secondary_text_color": "ink",
        "checkbox_background_color": "sheet",
        "checkbox_background_color_selected": "accent",
        "checkbox_border_color": "edge",
        "checkbox_border_color_selected": "accent",
        "checkbox_label_background_fill": "sheet",
        "checkbox_label_background_fill_selected": "accent-soft",
        "checkbox_label_text_color": "ink",
        "checkbox_label_text_color_selected": "ink",
        "link_text_color": "accent",
        "slider_color": "accent",
        "color_accent": "accent",
        "error_text_color": "accent",
    }
    chosen = gr.themes.Base(font=_SANS, font_mono=("ui-monospace", "Consolas", "monospace"))
    values = {}
    for name, colour in colours.items():
        values[name] = f"var(--jw-{colour})"
        if hasattr(chosen, f"{name}_dark"):
            values[f"{name}_dark"] = f"var(--jw-{colour})"
    return chosen.set(**values)


def head() -> str:
    """What goes into the page's head: style and script.

    The style sheet is not given to Gradio as `css`, which would put a prefix before every selector.
    """
    files = ("style.css", "evaluation.css", "page.js")
    style, evaluation, script = ((_HERE / name).read_text("utf-8") for name in files)
    return f'<meta name="color-scheme" content="light dark"><style>{style}{evaluation}</style><script>{script}</script>'
