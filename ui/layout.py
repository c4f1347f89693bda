"""Where everything stands on the page. What the controls do is connected in app.py."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from rag.config import Settings
from rag.sources.formats import SUFFIXES
from ui import evaluation_layout
from ui.evaluation_controls import EvaluationControls
from ui.labels import Labelled, Labels, first, static
from ui.markup import escape
from ui.strings import DEFAULT_LANGUAGE, Language, text

FILE_TYPES = list(SUFFIXES)
EXAMPLES = 3
_MOST_SOURCES = 10
_LONGEST_QUESTION = 2_000


@dataclass(frozen=True, slots=True)
class State:
    """Hidden text boxes: what the page itself remembers, and how page.js speaks to the server.

    They are listened to by `change`: Gradio's `input` of a text box is fired by keys only. And JavaScript is
    not given to Gradio's events, because Gradio would run it through `eval`, which our content security
    policy forbids.
    """

    wish: gr.Textbox
    """`language:conversation:n` to show, written by page.js on load and on a change of language."""
    language: gr.Textbox
    """The language shown; empty until the first wish has been granted."""
    current: gr.Textbox
    """Id of the open conversation; empty for a new one."""
    pick: gr.Textbox
    """The article chosen on the library tab (`render_library.pick_value`)."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The line across the top."""

    menu: gr.Button
    language: gr.Button
    theme: gr.Button


@dataclass(frozen=True, slots=True)
class Drawer:
    """Conversations, filters and settings, folded away at the left."""

    close: gr.Button
    new: gr.Button
    conversations: gr.Radio
    delete: gr.Button
    confirm_row: gr.Column
    confirm: gr.Button
    cancel: gr.Button
    date_from: gr.Textbox
    date_to: gr.Textbox
    sources: gr.Dropdown
    mode: gr.Radio
    max_sources: gr.Slider


@dataclass(frozen=True, slots=True)
class AskTab:
    """The chat."""

    hero: gr.Column
    count: gr.Markdown
    examples: list[gr.Button]
    chat: gr.Chatbot
    filter_row: gr.Row
    active_filters: gr.Markdown
    clear_filters: gr.Button
    box: gr.Textbox


@dataclass(frozen=True, slots=True)
class Shelf:
    """The library tab."""

    find: gr.Textbox
    search: gr.Button
    upload: gr.UploadButton
    stop: gr.Button
    status: gr.Markdown
    listing: gr.Markdown
    reader: gr.Markdown
    remove: gr.Button
    confirm_row: gr.Column
    question: gr.Markdown
    confirm: gr.Button
    cancel: gr.Button


@dataclass(frozen=True, slots=True)
class Controls:
    """The whole page."""

    labelled: list[Labelled]
    state: State
    bar: Bar
    drawer: Drawer
    ask: AskTab
    shelf: Shelf
    evaluation: EvaluationControls


def build(settings: Settings) -> tuple[gr.Blocks, Controls]:
    """The page, not yet connected."""
    labels = Labels()
    with gr.Blocks(
        title="津问 Jinwen",
        fill_height=True,
        fill_width=True,
        analytics_enabled=False,
        delete_cache=(3600, 3600),
    ) as page:
        state = State(*(_remembered(name) for name in ("jw-wish", "jw-language", "jw-current", "jw-pick")))
        memory = evaluation_layout.remember()
        bar = _bar(labels)
        with gr.Row(elem_id="jw-body"):
            drawer = _drawer(labels, settings)
            with gr.Tabs(elem_id="jw-tabs", overflow_behavior="wrap") as tabs:
                with labels.field(gr.Tab, "tab_ask", id="ask", elem_id="jw-ask"):
                    ask = _ask_tab(labels)
                with labels.field(gr.Tab, "tab_library", id="library", elem_id="jw-library"):
                    shelf = _shelf(labels, settings)
                with labels.field(gr.Tab, "tab_evaluation", id="evaluation", elem_id="jw-evaluation"):
                    evaluation = evaluation_layout.build(labels, settings, memory, tabs)
    return page, Controls(labels.items, state, bar, drawer, ask, shelf, evaluation)


def _remembered(name: str) -> gr.Textbox:
    return gr.Textbox(elem_id=name, elem_classes="jw-hidden", show_label=False, container=False)


def _bar(labels: Labels) -> Bar:
    with gr.Row(elem_id="jw-bar"):
        menu = labels.button("menu", elem_id="jw-menu", size="sm")
        labels.markdown(
            lambda language: (
                '<h1 class="jw-brand"><span class="jw-seal">津</span><span class="jw-name">津问<small>Jinwen</small>'
                f'</span><span class="jw-tagline">{escape(text(language, "tagline"))}</span></h1>'
            ),
            elem_id="jw-brand",
        )
        language = labels.button("switch_language", elem_id="jw-switch-language", size="sm")
        chosen_theme = labels.button("switch_theme", elem_id="jw-switch-theme", size="sm")
    return Bar(menu, language, chosen_theme)


def _drawer(labels: Labels, settings: Settings) -> Drawer:
    with gr.Column(elem_id="jw-drawer", scale=0, min_width=0):
        close = labels.button("menu_close", elem_id="jw-drawer-close", size="sm")
        new = labels.button("new_conversation", elem_id="jw-new", size="sm")
        conversations = labels.field(gr.Radio, "conversations", choices=[], elem_id="jw-conversations", visible=False)
        delete = labels.button("delete_conversation", elem_id="jw-delete", size="sm", visible=False)
        with gr.Column(visible=False, elem_classes="jw-confirm") as confirm_row:
            labels.markdown(lambda language: f"<p>{escape(text(language, 'delete_question'))}</p>")
            confirm = labels.button("confirm_delete", size="sm", variant="primary")
            cancel = labels.button("cancel", size="sm")
        labels.markdown(lambda language: f'<h2 class="jw-section">{escape(text(language, "filters"))}</h2>')
        with gr.Row(elem_classes="jw-dates"):
            date_from, date_to = (_date(labels, key) for key in ("date_from", "date_to"))
        sources = labels.field(gr.Dropdown, "sources_filter", choices=[], multiselect=True, value=[], container=True)
        labels.markdown(lambda language: f'<h2 class="jw-section">{escape(text(language, "settings"))}</h2>')
        mode = labels(
            gr.Radio(_modes(DEFAULT_LANGUAGE), value=settings.answer.mode, label=first("mode"), elem_id="jw-mode"),
            lambda language: {"choices": _modes(language), "label": text(language, "mode")},
        )
        max_sources = labels.field(
            gr.Slider,
            "max_sources",
            minimum=1,
            maximum=max(_MOST_SOURCES, settings.answer.max_sources),
            step=1,
            value=settings.answer.max_sources,
            buttons=[],
            elem_id="jw-max-sources",
        )
    return Drawer(
        close, new, conversations, delete, confirm_row, confirm, cancel,
        date_from, date_to, sources, mode, max_sources,
    )  # fmt: skip


def _date(labels: Labels, key: str) -> gr.Textbox:
    """A date as `2026-01-31`; page.js turns the input into the browser's own date field."""
    return labels(
        gr.Textbox(label=first(key), placeholder=first("date_hint"), max_lines=1, elem_classes="jw-date", min_width=0),
        lambda language: {"label": text(language, key), "placeholder": text(language, "date_hint")},
    )


def _modes(language: Language) -> list[tuple[str, str]]:
    return [(text(language, f"mode_{mode}"), mode) for mode in ("extractive", "generative")]


def _ask_tab(labels: Labels) -> AskTab:
    with gr.Column(elem_id="jw-hero") as hero:
        labels.markdown(
            lambda language: (
                f'<div class="jw-hero"><h2>{escape(text(language, "hero_title"))}</h2>'
                f"<p>{escape(text(language, 'hero_text'))}</p></div>"
            )
        )
        count = static()
        labels.markdown(lambda language: f'<p class="jw-try">{escape(text(language, "hero_examples"))}</p>')
        with gr.Row(elem_id="jw-examples"):
            examples = [gr.Button("", elem_classes="jw-example", visible=False, min_width=0) for _ in range(EXAMPLES)]
    chat = gr.Chatbot(
        show_label=False,
        container=False,
        elem_id="jw-chat",
        height=None,
        layout="panel",
        buttons=[],
        sanitize_html=True,
        latex_delimiters=[],
        feedback_options=None,
        allow_file_downloads=False,
    )
    with gr.Column(elem_id="jw-ask-area"):
        with gr.Row(visible=False, elem_id="jw-filter-row") as filter_row:
            active = static()
            clear = labels.button("clear_filters", size="sm", scale=0, min_width=0)
        box = gr.Textbox(
            label=first("question"),
            show_label=False,
            container=True,
            placeholder=first("placeholder"),
            lines=1,
            max_lines=6,
            max_length=_LONGEST_QUESTION,
            autofocus=True,
            submit_btn=first("send"),
            elem_id="jw-box",
        )
    return AskTab(hero, count, examples, chat, filter_row, active, clear, box)


def _shelf(labels: Labels, settings: Settings) -> Shelf:
    size = f"{settings.ui.max_upload_mb:g}"
    with gr.Row(elem_id="jw-shelf"):
        with gr.Column(elem_id="jw-shelf-list", min_width=0):
            with gr.Row(elem_id="jw-find-row"):
                find = labels(
                    gr.Textbox(
                        label=first("library_find"), show_label=False, placeholder=first("library_find_hint"),
                        max_lines=1, elem_id="jw-find", min_width=0,
                    ),
                    lambda language: {
                        "label": text(language, "library_find"), "placeholder": text(language, "library_find_hint")
                    },
                )  # fmt: skip
                search = labels.button("library_search", elem_id="jw-search", scale=0, min_width=0)
            with gr.Row(elem_id="jw-add-row"):
                upload = labels(
                    gr.UploadButton(first("add_files"), file_count="multiple", file_types=FILE_TYPES,
                                    size="sm", scale=0, min_width=0, elem_id="jw-upload"),
                    lambda language: {"label": text(language, "add_files")},
                )  # fmt: skip
                stop = labels.button("stop_ingest", size="sm", scale=0, min_width=0, visible=False)
                labels.markdown(
                    lambda language: f'<p class="jw-hint">{escape(text(language, "add_hint", size=size))}</p>'
                )
            status = static(elem_id="jw-status")
            listing = static(elem_id="jw-listing")
        with gr.Column(elem_id="jw-shelf-reader", min_width=0):
            reader = static(elem_id="jw-reader")
            remove = labels.button("remove", size="sm", visible=False, elem_id="jw-remove")
            with gr.Column(visible=False, elem_classes="jw-confirm") as confirm_row:
                question = static()
                confirm = labels.button("confirm_remove", size="sm", variant="primary", elem_id="jw-confirm-remove")
                cancel = labels.button("cancel", size="sm")
    return Shelf(find, search, upload, stop, status, listing, reader, remove, confirm_row, question, confirm, cancel)
