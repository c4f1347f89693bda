"""What Gradio remembers of every open page, bounded.

For each page it keeps a copy of every component that was changed there, and by default for ten thousand of them.
Nothing of ours needs that memory (see app.py) but one check: that a chosen value is among the choices last sent.
A page whose memory was dropped would fail it, so fields whose choices are read from disk do without, and the
handlers look names up anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

CAPACITY = 100
"""Pages that are remembered: those used last. About 0.4 MB each."""
FROM_DISK = "jw-from-disk"
"""Marks a choice (as `elem_classes`, which Gradio hands on to its copies) whose values are read from disk."""


def bound(page: gr.Blocks) -> None:
    """Remember the pages used last only; call before the page is mounted."""
    page.state_session_capacity = CAPACITY
    for kind in (gr.Radio, gr.Dropdown):
        kind.preprocess = _free(kind.preprocess)  # type: ignore[method-assign]


def _free(check: Callable[..., Any]) -> Callable[..., Any]:
    """`preprocess` that checks nothing but the type where the choices are read from disk."""
    if getattr(check, "jinwen", False):
        return check

    def preprocess(self: Any, payload: Any) -> Any:
        values = payload if isinstance(payload, list) else [payload]
        known = FROM_DISK in (self.elem_classes or ()) and all(isinstance(value, str) for value in values)
        return payload if known else check(self, payload)

    preprocess.jinwen = True  # type: ignore[attr-defined]
    return preprocess
