"""The controls of the evaluation tab by name, for those who fill, connect and change them."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True, slots=True)
class Memory:
    """Hidden text boxes, as in `ui.layout.State`, and the clock that watches a run."""

    tell: gr.Textbox
    """`n:verb:argument`, written by page.js when one of our own buttons is pressed."""
    opened: gr.Textbox
    """Folder of the run that is shown."""
    compared: gr.Textbox
    """`A|B`: folders of the runs compared."""
    explained: gr.Textbox
    """Not empty when an explanation is shown."""
    edited: gr.Textbox
    """Id of the question in the editor; empty for a new one."""
    clock: gr.Timer


@dataclass(frozen=True, slots=True)
class RunControls:
    """Start runs, list them, read their results."""

    sets: gr.Dropdown
    upload: gr.UploadButton
    mode: gr.Radio
    strictness: gr.Radio
    top_k: gr.Slider
    name: gr.Textbox
    judge: gr.Checkbox
    """Shown where the settings name a judge."""
    start: gr.Button
    stop: gr.Button
    status: gr.Markdown
    resume_row: gr.Row
    interrupted: gr.Markdown
    resume: gr.Button
    listing: gr.Markdown
    tools: gr.Row
    new_name: gr.Textbox
    rename: gr.Button
    delete: gr.Button
    confirm_row: gr.Column
    question: gr.Markdown
    confirm: gr.Button
    cancel: gr.Button
    result: gr.Markdown
    cause: gr.Dropdown
    failed: gr.Markdown


@dataclass(frozen=True, slots=True)
class CompareControls:
    """Two runs side by side."""

    first: gr.Dropdown
    second: gr.Dropdown
    start: gr.Button
    result: gr.Markdown


@dataclass(frozen=True, slots=True)
class WhyControls:
    """A question, the words that should have been found, and what became of them."""

    question: gr.Textbox
    expect: gr.Textbox
    start: gr.Button
    result: gr.Markdown


@dataclass(frozen=True, slots=True)
class SetControls:
    """The set editor."""

    sets: gr.Dropdown
    upload: gr.UploadButton
    draft: gr.Button
    add: gr.Button
    validate: gr.Button
    delete: gr.Button
    confirm_row: gr.Column
    sure: gr.Markdown
    confirm: gr.Button
    cancel: gr.Button
    status: gr.Markdown
    listing: gr.Markdown
    editor: gr.Column
    hint: gr.Markdown
    note: gr.Markdown
    question: gr.Textbox
    type: gr.Dropdown
    answers: gr.Textbox
    match: gr.Radio
    evidence: gr.Textbox
    as_of: gr.Textbox
    about: gr.Markdown
    save: gr.Button
    remove: gr.Button
    outcome: gr.Markdown
    """What came of saving."""
    remove_row: gr.Column
    remove_confirm: gr.Button
    remove_cancel: gr.Button


@dataclass(frozen=True, slots=True)
class EvaluationControls:
    """The whole tab."""

    page_tabs: gr.Tabs
    """The tabs of the page, to come here from the chat."""
    tabs: gr.Tabs
    memory: Memory
    runs: RunControls
    compare: CompareControls
    why: WhyControls
    sets: SetControls
