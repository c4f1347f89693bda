"""Where everything stands on the evaluation tab. What the controls do is connected in evaluation_tab.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from eval.question import TYPES
from rag.config import Settings
from ui.evaluation_controls import (
    CompareControls,
    EvaluationControls,
    Memory,
    RunControls,
    SetControls,
    WhyControls,
)
from ui.labels import Labels, first, static
from ui.markup import escape
from ui.render_evaluation import type_name
from ui.sessions import FROM_DISK
from ui.strings import DEFAULT_LANGUAGE, Language, text

_STRICTNESS = ("strict", "balanced", "generous")
_MOST_READ = 50
_LONGEST_TEXT = 2_000
_TICK_S = 0.5
"""Between two looks at a run under way."""


def remember() -> Memory:
    """The hidden parts; they stand outside the tabs, since a tab that is not open has no elements."""
    names = ("jw-tell", "jw-ev-opened", "jw-ev-compared", "jw-ev-explained", "jw-ev-edited")
    tell, opened, compared, explained, edited = (
        gr.Textbox(elem_id=name, elem_classes="jw-hidden", show_label=False, container=False) for name in names
    )
    return Memory(tell, opened, compared, explained, edited, gr.Timer(_TICK_S, active=False))


def build(labels: Labels, settings: Settings, memory: Memory, page_tabs: gr.Tabs) -> EvaluationControls:
    """The tab, not yet connected."""
    with gr.Tabs(elem_id="jw-ev-tabs", overflow_behavior="wrap") as tabs:
        with labels.field(gr.Tab, "ev_tab_runs", id="runs", elem_id="jw-ev-runs"):
            runs = _runs(labels, settings)
        with labels.field(gr.Tab, "ev_tab_compare", id="compare", elem_id="jw-ev-compare"):
            compare = _compare(labels)
        with labels.field(gr.Tab, "ev_tab_why", id="why", elem_id="jw-ev-why"):
            why = _why(labels)
        with labels.field(gr.Tab, "ev_tab_sets", id="sets", elem_id="jw-ev-sets"):
            sets = _sets(labels)
    return EvaluationControls(page_tabs, tabs, memory, runs, compare, why, sets)


def _runs(labels: Labels, settings: Settings) -> RunControls:
    answer = settings.answer
    with gr.Row(elem_classes="jw-ev-split"):
        with gr.Column(elem_classes="jw-ev-side", min_width=0):
            sets = labels.field(
                gr.Dropdown, "ev_set", choices=[], elem_classes=FROM_DISK, filterable=False, elem_id="jw-ev-set"
            )
            with gr.Row(elem_classes="jw-ev-buttons"):
                upload = _upload(labels)
            mode = _radio(labels, "ev_mode", [(m, f"mode_{m}") for m in ("extractive", "generative")], answer.mode)
            strictness = _radio(labels, "ev_strictness", [(s, f"ev_{s}") for s in _STRICTNESS], answer.strictness)
            top_k = labels.field(
                gr.Slider, "ev_top_k", minimum=1, maximum=max(_MOST_READ, settings.retrieval.top_k), step=1,
                value=settings.retrieval.top_k, buttons=[], elem_id="jw-ev-top-k",
            )  # fmt: skip
            name = _line(labels, "ev_name", "ev_name_hint", elem_id="jw-ev-name")
            judge = labels.field(
                gr.Checkbox, "ev_judge", value=False, visible=bool(settings.judge.model), elem_id="jw-ev-judge"
            )
            with gr.Row(elem_classes="jw-ev-buttons"):
                start = labels.button("ev_run", size="sm", variant="primary", elem_id="jw-ev-run", min_width=0)
                stop = labels.button("ev_stop", size="sm", visible=False, elem_id="jw-ev-stop", min_width=0)
            status = static(elem_id="jw-ev-status")
            with gr.Row(visible=False, elem_classes="jw-ev-resume") as resume_row:
                interrupted = static()
                resume = labels.button("ev_resume", size="sm", elem_id="jw-ev-resume", min_width=0, scale=0)
            listing = static(elem_id="jw-ev-list")
        with gr.Column(elem_classes="jw-ev-main", min_width=0):
            with gr.Row(visible=False, elem_classes="jw-ev-tools") as tools:
                new_name = labels.field(gr.Textbox, "ev_new_name", max_lines=1, elem_id="jw-ev-new-name", min_width=0)
                rename = labels.button("ev_rename", size="sm", elem_id="jw-ev-rename", min_width=0, scale=0)
                delete = labels.button("ev_delete", size="sm", elem_id="jw-ev-delete", min_width=0, scale=0)
            confirm_row, question, confirm, cancel = _confirm(labels, "ev_delete", "jw-ev-confirm-delete")
            result = static(elem_id="jw-ev-result")
            cause = labels.field(
                gr.Dropdown,
                "ev_cause",
                choices=[],
                elem_classes=FROM_DISK,
                filterable=False,
                visible=False,
                elem_id="jw-ev-cause",
            )
            failed = static(elem_id="jw-ev-failed")
    return RunControls(
        sets, upload, mode, strictness, top_k, name, judge, start, stop, status, resume_row, interrupted, resume,
        listing, tools, new_name, rename, delete, confirm_row, question, confirm, cancel, result, cause, failed,
    )  # fmt: skip


def _compare(labels: Labels) -> CompareControls:
    with gr.Column(elem_classes="jw-ev-page", min_width=0):
        with gr.Row(elem_classes="jw-ev-tools"):
            one = labels.field(
                gr.Dropdown,
                "ev_first",
                choices=[],
                elem_classes=FROM_DISK,
                filterable=False,
                elem_id="jw-ev-a",
                min_width=0,
            )
            two = labels.field(
                gr.Dropdown,
                "ev_second",
                choices=[],
                elem_classes=FROM_DISK,
                filterable=False,
                elem_id="jw-ev-b",
                min_width=0,
            )
            start = labels.button(
                "ev_compare", size="sm", variant="primary", elem_id="jw-ev-do-compare", min_width=0, scale=0
            )
        result = static(elem_id="jw-ev-comparison")
    return CompareControls(one, two, start, result)


def _why(labels: Labels) -> WhyControls:
    with gr.Column(elem_classes="jw-ev-page", min_width=0):
        with gr.Row(elem_classes="jw-ev-tools"):
            question = labels.field(
                gr.Textbox, "ev_why_question", lines=1, max_lines=4, max_length=_LONGEST_TEXT,
                elem_id="jw-ev-why-question", min_width=0,
            )  # fmt: skip
            expect = _line(labels, "ev_why_expect", "ev_why_expect_hint", elem_id="jw-ev-why-expect")
            start = labels.button(
                "ev_why_ask", size="sm", variant="primary", elem_id="jw-ev-do-why", min_width=0, scale=0
            )
        result = static(elem_id="jw-ev-explanation")
    return WhyControls(question, expect, start, result)


def _sets(labels: Labels) -> SetControls:
    with gr.Row(elem_classes="jw-ev-split"):
        with gr.Column(elem_classes="jw-ev-side", min_width=0):
            sets = labels.field(
                gr.Dropdown, "ev_set", choices=[], elem_classes=FROM_DISK, filterable=False, elem_id="jw-ev-edit-set"
            )
            with gr.Row(elem_classes="jw-ev-buttons"):
                upload = _upload(labels)
                draft = labels.button("ev_draft", size="sm", elem_id="jw-ev-draft", min_width=0)
                validate = labels.button("ev_validate", size="sm", elem_id="jw-ev-validate", min_width=0)
                add = labels.button("ev_new_question", size="sm", elem_id="jw-ev-add", min_width=0)
                delete = labels.button("ev_delete_set", size="sm", elem_id="jw-ev-delete-set", min_width=0)
            confirm_row, sure, confirm, cancel = _confirm(labels, "ev_delete_set", "jw-ev-confirm-set")
            status = static(elem_id="jw-ev-set-status")
            listing = static(elem_id="jw-ev-questions")
        with gr.Column(elem_classes="jw-ev-main", min_width=0):
            hint = labels.markdown(lambda language: f'<p class="jw-empty">{escape(text(language, "ev_set_hint"))}</p>')
            with gr.Column(visible=False, elem_id="jw-ev-editor", min_width=0) as editor:
                fields = _editor(labels)
    return SetControls(
        sets, upload, draft, add, validate, delete, confirm_row, sure, confirm, cancel, status, listing, editor, hint,
        *fields,
    )  # fmt: skip


def _upload(labels: Labels) -> gr.UploadButton:
    """Takes a question set in; page.js gives it files that are dropped on its part of the page."""
    types = [".jsonl", ".json", ".gz", ".zip"]
    return labels(
        gr.UploadButton(first("ev_import"), file_count="single", file_types=types, size="sm", min_width=0),
        lambda language: {"label": text(language, "ev_import")},
    )


def _editor(labels: Labels) -> tuple[Any, ...]:
    """The fields of the editor, in the order of `SetControls`."""
    note = static(elem_id="jw-ev-note")
    question = labels.field(
        gr.Textbox, "ev_e_question", lines=2, max_lines=4, max_length=_LONGEST_TEXT, elem_id="jw-ev-e-question"
    )
    with gr.Row(elem_classes="jw-ev-buttons"):
        kind = labels(
            gr.Dropdown(_types(DEFAULT_LANGUAGE), value="fact", label=first("ev_e_type"), allow_custom_value=True,
                        elem_id="jw-ev-e-type", min_width=120),
            lambda language: {"label": text(language, "ev_e_type"), "choices": _types(language)},
        )  # fmt: skip
        as_of = labels(
            gr.Textbox(label=first("ev_e_as_of"), placeholder=first("date_hint"), max_lines=1, elem_id="jw-ev-e-as-of",
                       elem_classes="jw-date", min_width=120),
            lambda language: {"label": text(language, "ev_e_as_of"), "placeholder": text(language, "date_hint")},
        )  # fmt: skip
    answers = labels.field(gr.Textbox, "ev_e_answers", lines=2, max_lines=8, elem_id="jw-ev-e-answers")
    match = _radio(labels, "ev_e_match", [("any", "ev_e_any"), ("all", "ev_e_all")], "any")
    evidence = labels.field(gr.Textbox, "ev_e_evidence", lines=3, max_lines=12, elem_id="jw-ev-e-evidence")
    about = static(elem_id="jw-ev-about")
    with gr.Row(elem_classes="jw-ev-buttons"):
        save = labels.button("ev_save", size="sm", variant="primary", elem_id="jw-ev-save", min_width=0)
        remove = labels.button("ev_delete_one", size="sm", elem_id="jw-ev-remove", min_width=0)
    outcome = static(elem_id="jw-ev-outcome")
    row, _, confirm, cancel = _confirm(labels, "ev_delete_one", "jw-ev-confirm-remove", asks="delete_question")
    return note, question, kind, answers, match, evidence, as_of, about, save, remove, outcome, row, confirm, cancel


def _confirm(
    labels: Labels, key: str, elem_id: str, asks: str = ""
) -> tuple[gr.Column, gr.Markdown, gr.Button, gr.Button]:
    """A row that asks whether to go on; `asks` is its text where that never changes."""
    with gr.Column(visible=False, elem_classes="jw-confirm") as row:
        question = labels.markdown(lambda lang: f"<p>{escape(text(lang, asks))}</p>") if asks else static()
        with gr.Row(elem_classes="jw-ev-buttons"):
            confirm = labels.button(key, size="sm", variant="primary", elem_id=elem_id, min_width=0)
            cancel = labels.button("cancel", size="sm", min_width=0)
    return row, question, confirm, cancel


def _radio(labels: Labels, key: str, options: Sequence[tuple[str, str]], value: str) -> gr.Radio:
    """A choice of `options` (value, key of its text)."""

    def choices(language: Language) -> list[tuple[str, str]]:
        return [(text(language, name), option) for option, name in options]

    return labels(
        gr.Radio(choices(DEFAULT_LANGUAGE), value=value, label=first(key), elem_classes="jw-ev-radio"),
        lambda language: {"choices": choices(language), "label": text(language, key)},
    )


def _line(labels: Labels, key: str, hint: str, **kwargs: Any) -> gr.Textbox:
    """One line of text with a placeholder."""
    return labels(
        gr.Textbox(label=first(key), placeholder=first(hint), max_lines=1, min_width=0, **kwargs),
        lambda language: {"label": text(language, key), "placeholder": text(language, hint)},
    )


def _types(language: Language) -> list[tuple[str, str]]:
    return [(type_name(name, language), name) for name in TYPES]
